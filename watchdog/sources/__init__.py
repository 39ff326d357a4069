"""Where samples come from: one file a kind of source, each independent of its siblings."""

from __future__ import annotations

from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.channels import Channel
from watchdog.core.probes import (
    AttestationProbe,
    CommandProbe,
    HttpProbe,
    ManifestProbe,
    Probe,
    TcpProbe,
)
from watchdog.core.spec import JsonDocument, PrometheusApi, Scrape, SourceSpec
from watchdog.ports import MetricSource, PastSource, SilenceSource
from watchdog.sources.alertmanager import AlertmanagerSilences
from watchdog.sources.attestation import AttestationLook
from watchdog.sources.channel import ChannelSource
from watchdog.sources.json_document import JsonSource
from watchdog.sources.looks import Looking, ProbeSource
from watchdog.sources.manifest import ManifestLook
from watchdog.sources.probe_command import CommandLook
from watchdog.sources.probe_http import HttpLook
from watchdog.sources.probe_tcp import TcpLook
from watchdog.sources.prometheus import PrometheusSource
from watchdog.sources.prometheus_past import PrometheusPast
from watchdog.sources.scrape import ScrapeSource
from watchdog.wire.http import Wire

__all__ = ["open_past", "open_silences", "open_source"]


def open_source(spec: SourceSpec, wire: Wire) -> MetricSource:
    """The source that `spec` describes. It has connections of its own, and the wire closes them."""
    wire = wire.apart(f"polls of {spec.name}")
    match spec.how:
        case Scrape():
            return ScrapeSource(spec, wire)
        case PrometheusApi():
            return PrometheusSource(spec, wire)
        case JsonDocument():
            return JsonSource(spec, wire)
        case Channel() as channel:
            return ChannelSource(spec, channel, wire.secrets)
        case probe:
            return ProbeSource(spec, _looking(spec, probe, wire))


def _looking(spec: SourceSpec, probe: Probe, wire: Wire) -> Looking:
    match probe:
        case HttpProbe():
            return HttpLook(spec, probe, wire).look
        case TcpProbe():
            return TcpLook(spec, probe).look
        case CommandProbe():
            return CommandLook(spec, probe).look
        case ManifestProbe():
            return ManifestLook(spec, probe).look
        case AttestationProbe():
            return AttestationLook(spec, probe, wire).look


def open_past(spec: SourceSpec, wire: Wire) -> PastSource | None:
    """Who knows the source's past, if anybody does."""
    wire = wire.apart("history")
    return PrometheusPast(spec, wire) if isinstance(spec.how, PrometheusApi) else None


def open_silences(spec: AlertmanagerSpec, wire: Wire) -> SilenceSource:
    """The silences of the Alertmanager that `spec` describes."""
    return AlertmanagerSilences(spec, wire)
