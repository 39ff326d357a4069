"""Where samples come from: one file a kind of source, each independent of its siblings."""

from __future__ import annotations

from watchdog.core.probes import (
    AttestationProbe,
    CommandProbe,
    HttpProbe,
    ManifestProbe,
    TcpProbe,
)
from watchdog.core.spec import JsonDocument, PrometheusApi, Scrape, SourceSpec
from watchdog.ports import MetricSource, PastSource
from watchdog.sources.attestation import AttestationLook
from watchdog.sources.json_document import JsonSource
from watchdog.sources.looks import ProbeSource
from watchdog.sources.manifest import ManifestLook
from watchdog.sources.probe_command import CommandLook
from watchdog.sources.probe_http import HttpLook
from watchdog.sources.probe_tcp import TcpLook
from watchdog.sources.prometheus import PrometheusSource
from watchdog.sources.prometheus_past import PrometheusPast
from watchdog.sources.scrape import ScrapeSource
from watchdog.wire.http import Wire

__all__ = ["open_past", "open_source"]


def open_source(spec: SourceSpec, wire: Wire) -> MetricSource:
    """The source that `spec` describes. It uses the wire's connections and does not close them."""
    match spec.how:
        case Scrape():
            return ScrapeSource(spec, wire)
        case PrometheusApi():
            return PrometheusSource(spec, wire)
        case JsonDocument():
            return JsonSource(spec, wire)
        case HttpProbe() as how:
            return ProbeSource(spec, HttpLook(spec, how, wire).look)
        case TcpProbe() as how:
            return ProbeSource(spec, TcpLook(spec, how).look)
        case CommandProbe() as how:
            return ProbeSource(spec, CommandLook(spec, how).look)
        case ManifestProbe() as how:
            return ProbeSource(spec, ManifestLook(spec, how).look)
        case AttestationProbe() as how:
            return ProbeSource(spec, AttestationLook(spec, how, wire).look)


def open_past(spec: SourceSpec, wire: Wire) -> PastSource | None:
    """Who knows the source's past, if anybody does."""
    return PrometheusPast(spec, wire) if isinstance(spec.how, PrometheusApi) else None
