"""A real Chromium, driven over a pipe by its DevTools protocol: no port, no library, no download.

Commands are JSON, each ended by a zero byte, on the browser's descriptors 3 and 4. It resolves no
name and may reach the loopback alone, so what a page asks of others is seen and leads nowhere.
"""

import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.real_parts.server import program

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
_MOST_BYTES = 64 * 1024 * 1024
_PATIENCE_SECONDS = 60.0

Document = dict[str, Any]


class Complaint(Exception):
    """The browser refused a command, or a script raised."""


@dataclass
class Tab:
    """One page, as a person sees it: `console` is its complaints, `asked` all that it fetched."""

    browser: "Chromium"
    session: str
    console: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, method: str, **arguments: Any) -> Document:
        return await self.browser.call(method, self.session, **arguments)

    async def open(self, url: str) -> None:
        """Go there, and wait until it is whole."""
        self.loaded.clear()
        found = await self.call("Page.navigate", url=url)
        if "errorText" in found:
            raise Complaint(f"{url}: {found['errorText']}")
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self.loaded.wait()

    async def look(self, *, dark: bool, width: int, height: int = 900) -> None:
        """As on a screen of this width, by a reader who likes it dark or light."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def scripts(self, *, run: bool) -> None:
        await self.call("Emulation.setScriptExecutionDisabled", value=not run)

    async def value(self, expression: str) -> Any:
        """What a script gives; a promise is waited for. Raises Complaint where it raises."""
        found = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in found:
            raise Complaint(json.dumps(found["exceptionDetails"])[:2000])
        return found["result"].get("value")

    async def until(self, expression: str, within_seconds: float = 20.0) -> Any:
        """Wait until a script gives something that counts as true."""
        async with asyncio.timeout(within_seconds):
            while True:
                if found := await self.value(expression):
                    return found
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        await self.call("Page.close")

    async def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13, "Space": 32}[key]
        for kind in ("rawKeyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    async def picture(self) -> bytes:
        """The whole page as PNG, as far down as it goes."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = await self.call(
            "Page.captureScreenshot", captureBeyondViewport=True, clip=clip, format="png"
        )
        return base64.b64decode(found["data"])

    def heard(self, method: str, told: Document) -> None:
        match method:
            case "Page.loadEventFired":
                self.loaded.set()
            case "Runtime.consoleAPICalled" if told["type"] in {"error", "warning", "assert"}:
                self.console.append(json.dumps(told["args"]))
            case "Runtime.exceptionThrown":
                self.console.append(json.dumps(told["exceptionDetails"]))
            case "Log.entryAdded":
                self.console.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.asked.append(told["request"]["url"])


class Chromium:
    """One running browser."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Document]] = {}
        self._tabs: dict[str, Tab] = {}

    async def call(self, method: str, session: str = "", **arguments: Any) -> Document:
        """Raises Complaint where the browser refuses."""
        number = next(self._numbers)
        message: Document = {"id": number, "method": method, "params": arguments}
        if session:
            message["sessionId"] = session
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps(message).encode() + b"\0")
        async with asyncio.timeout(_PATIENCE_SECONDS):
            found = await answer
        if "error" in found:
            raise Complaint(f"{method}: {found['error']}")
        return dict(found["result"])

    async def tab(self) -> Tab:
        """An empty page in a world of its own: no cache, no memory of others."""
        world = (await self.call("Target.createBrowserContext"))["browserContextId"]
        target = await self.call("Target.createTarget", url="about:blank", browserContextId=world)
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        tab = self._tabs[attached["sessionId"]] = Tab(self, attached["sessionId"])
        for part in ("Page", "Runtime", "Log", "Network"):
            await tab.call(f"{part}.enable")
        return tab

    def close(self) -> None:
        self._writer.close()

    async def listen(self) -> None:
        """Until the browser ends."""
        while True:
            try:
                raw = await self._reader.readuntil(b"\0")
            except asyncio.IncompleteReadError:
                break
            told = json.loads(raw[:-1])
            if "id" in told:
                waiting = self._waiting.pop(told["id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(told)
            elif (tab := self._tabs.get(told.get("sessionId", ""))) is not None:
                tab.heard(told["method"], told["params"])
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result({"error": "the browser ended"})


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """Running inside the block; it leaves nothing behind."""
    home = tempfile.mkdtemp(prefix="chromium-")
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # The shell puts our pipes on the descriptors that the browser speaks by.
    words = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out} {theirs_in}<&- {theirs_out}>&-'
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", words, "bash", program("chromium", "chromium"), *_FLAGS,
        f"--user-data-dir={home}",
        pass_fds=(theirs_in, theirs_out),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "HOME": home},
    )  # fmt: skip
    os.close(theirs_in)
    os.close(theirs_out)
    browser = Chromium(*await _streams(ours_in, ours_out))
    listening = asyncio.create_task(browser.listen())
    try:
        yield browser
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await listening
        browser.close()
        shutil.rmtree(home, ignore_errors=True)


async def _streams(
    ours_in: int, ours_out: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MOST_BYTES)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb", 0)
    )
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(ours_out, "wb", 0)
    )
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
