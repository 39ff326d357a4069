"use strict";
// Keeps a page fresh without reloading it: asks for the same address again and mends what is shown
// where it differs. What the reader has opened, focused or selected stays as it is. Without this
// script the page asks for itself.
(() => {
  const PATIENCE = 10000; // milliseconds that an answer may take
  const POLL = 5000; // without a stream
  const AGAIN = 30000; // until a refused stream is asked for again
  const OLD = 15000; // without an answer: what is shown is no longer what is

  const main = document.getElementById("main");
  const lost = document.getElementById("lost");
  const said = document.getElementById("said");
  const pulse = document.getElementById("pulse");
  let stream = null;
  let asking = false;
  let answered = Date.now();

  const key = (node) => (node.nodeType === 1 ? node.id || node.dataset.key || "" : "");
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);

  function mendAttributes(shown, wanted) {
    for (const { name } of [...shown.attributes]) {
      const kept = name === "open" && shown.nodeName === "DETAILS";
      if (!wanted.hasAttribute(name) && !kept) shown.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
      if (name === "open" && shown.nodeName === "DETAILS") continue;
      if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
    }
  }

  function mend(shown, wanted) {
    if (shown.nodeType !== 1) {
      if (shown.nodeValue !== wanted.nodeValue) shown.nodeValue = wanted.nodeValue;
      return;
    }
    if (shown.nodeName === "FORM") return; // the reader's
    if (shown.isEqualNode(wanted)) return;
    mendAttributes(shown, wanted);
    let place = shown.firstChild;
    for (const child of [...wanted.childNodes]) {
      let found = place;
      while (found && !alike(found, child)) found = found.nextSibling;
      if (!found) {
        shown.insertBefore(document.importNode(child, true), place);
        continue;
      }
      if (found !== place) shown.insertBefore(found, place);
      else place = place.nextSibling;
      mend(found, child);
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  function take(page) {
    const fresh = page.getElementById("main");
    if (!fresh) return;
    answered = Date.now();
    lost.hidden = true;
    const [before, now] = [main.dataset.say, fresh.dataset.say];
    mend(main, fresh);
    mend(document.getElementById("made"), page.getElementById("made"));
    document.title = page.title;
    if (now !== before) said.textContent = now; // one sentence, and only when it is another
  }

  function fail() {
    if (Date.now() - answered < OLD || !lost.hidden) return;
    lost.textContent = `No answer since ${new Date(answered).toISOString().slice(11, 19)} UTC: what is shown here is old.`;
    lost.hidden = false;
  }

  function look() {
    if (asking || document.hidden) return;
    asking = true;
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.timeout = PATIENCE;
    request.onload = () => (request.status === 200 && request.response ? take(request.response) : fail());
    request.onerror = request.ontimeout = fail;
    request.onloadend = () => { asking = false; };
    request.send();
  }

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource("/live");
    stream.addEventListener("look", look);
    stream.onopen = () => { pulse.hidden = false; };
    stream.onerror = () => {
      pulse.hidden = true;
      if (stream && stream.readyState === EventSource.CLOSED) { // refused: it does not try by itself
        stream = null;
        setTimeout(listen, AGAIN);
      }
    };
  }

  function hush() {
    if (stream) stream.close();
    stream = null;
    pulse.hidden = true;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return hush();
    look();
    listen();
  });
  addEventListener("pagehide", hush);
  addEventListener("pageshow", listen);
  setInterval(() => {
    if (!stream || stream.readyState !== EventSource.OPEN) look();
    if (!document.hidden) fail();
  }, POLL);
  listen();
})();
