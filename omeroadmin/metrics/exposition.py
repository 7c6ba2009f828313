"""Samples as Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from omeroadmin.metrics.families import FAMILIES, Family, Sample

if TYPE_CHECKING:
    from prometheus_client import Metric


class _Samples:
    """A collector over samples that were taken already."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[Family, list[Sample]] = {}
        for sample in samples:
            self._values.setdefault(sample.family, []).append(sample)

    def collect(self) -> Iterator[Metric]:
        """Families that have samples, in the order of their declaration."""
        from prometheus_client.core import GaugeMetricFamily

        for family in FAMILIES:
            if family not in self._values:
                continue
            metric = GaugeMetricFamily(family.name, family.help, labels=family.labels, unit=family.unit)
            for sample in self._values[family]:
                metric.add_metric(sample.labels, sample.value)
            yield metric


def exposition(samples: Iterable[Sample]) -> str:
    """The text that Prometheus, or node_exporter's textfile collector, reads.

    :param samples: of declared families; families without samples are left out
    """
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Samples(samples))
    return generate_latest(registry).decode()
