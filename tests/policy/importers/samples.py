"""One file of each format, with every field that its importer knows. All of our own making."""

from __future__ import annotations

PROMETHEUS = """\
groups:
  - name: shop
    interval: 30s
    query_offset: 10s
    limit: 5
    labels: {site: north}
    rules:
      - record: job:errors:ratio5m
        expr: >-
          sum by (job) (rate(requests_total{code=~"5.."}[5m]))
          / sum by (job) (rate(requests_total[5m]))
        labels: {kind: recorded}
      - record: unused:sum
        expr: sum(other)
      - alert: HighErrorRate
        expr: job:errors:ratio5m{job="shop", kind="recorded"} > 0.05
        for: 5m
        keep_firing_for: 10m
        labels:
          severity: critical
          team: shop
          pod: "{{ $labels.pod }}"
        annotations:
          summary: "{{ $labels.job }} fails at {{ $value | humanizePercentage }}"
          description: more words
          runbook_url: https://runbooks.example.org/errors
          dashboard: https://graphs.example.org/1
"""

OPERATOR = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: shop
  namespace: monitoring
  labels: {role: alert-rules}
spec:
  groups:
    - name: shop
      partial_response_strategy: abort
      rules:
        - alert: ShopDown
          expr: up{job="shop"} == 0
          for: 1m
          labels: {severity: page}
          annotations: {message: the shop is down}
status:
  bindings: []
"""

SLOTH = """\
version: prometheus/v1
service: shop
labels: {owner: web}
slos:
  - name: availability
    description: Requests succeed.
    objective: 99.9
    labels: {tier: one}
    infoLabels: {more: words}
    interval: {all: 2m}
    sli:
      events:
        error_query: sum(rate(requests_total{code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: ShopAvailability
      labels: {category: availability}
      annotations: {summary: The shop fails., runbook: https://runbooks.example.org/shop}
      page_alert:
        labels: {severity: critical}
        annotations: {dashboard: https://graphs.example.org/2}
      ticket_alert:
        disable: true
  - name: latency
    objective: 99
    sli:
      raw:
        error_ratio_query: 1 - avg_over_time(fast:ratio[{{ .window }}])
    alerting:
      page_alert: {disable: true}
      ticket_alert:
        labels: {severity: warning}
"""

SLOTH_OBJECT = """\
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: shop, namespace: monitoring}
spec:
  service: shop
  labels: {owner: web}
  slos:
    - name: availability
      description: Requests succeed.
      objective: 99.5
      labels: {tier: one}
      plugins: {chain: []}
      sli:
        events:
          errorQuery: sum(rate(requests_total{code=~"5.."}[{{.window}}])) or vector(0)
          totalQuery: sum(rate(requests_total[{{.window}}]))
      alerting:
        name: ShopAvailability
        pageAlert: {labels: {severity: critical}}
        ticketAlert: {labels: {severity: warning}, annotations: {summary: slowly}}
---
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
metadata: {name: week}
spec:
  sloPeriod: 7d
  page:
    quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d}
"""

PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: shop-errors
  namespace: monitoring
  uid: 1-2-3
  labels: {pyrra.dev/team: web, prometheus: main}
  annotations: {pyrra.dev/runbook_url: "https://runbooks.example.org/shop", other: words}
spec:
  target: "99"
  window: 2w
  description: Requests succeed.
  partial_response_strategy: warn
  indicator:
    ratio:
      errors: {metric: 'requests_total{job="shop",code=~"5.."}'}
      total: {metric: 'requests_total{job="shop"}'}
      grouping: [handler]
  alerting:
    name: ShopBurns
    absentName: ShopIsGone
    severities: {fastBurn: page, absent: info}
"""

PYRRA_LATENCY = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: shop-latency}
spec:
  target: "95"
  window: 28d
  indicator:
    latency:
      success: {metric: 'seconds_bucket{job="shop",le="0.5"}'}
      total: {metric: 'seconds_count{job="shop"}'}
  alerting: {absent: false}
"""

PYRRA_NATIVE = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: shop-native}
spec:
  target: "95"
  window: 4w
  indicator:
    latencyNative: {latency: 200ms, total: {metric: seconds}}
"""

PYRRA_PROBE = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: shop-probe}
spec:
  target: "99.9"
  window: 30d
  indicator:
    bool_gauge: {metric: 'probe_success{job="shop"}'}
  alerting: {burnrates: true}
"""

OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: web-availability
  displayName: The web is there
  labels: {team: web, tags: [one, two]}
  annotations: {tool.example.org/key: value}
spec:
  service: web
  indicatorRef: web-errors
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - {displayName: good, target: 0.995}
  alertPolicies:
    - alertPolicyRef: burn
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: web-errors, displayName: errors}
spec:
  description: failed requests
  ratioMetric:
    counter: true
    bad:
      metricSource: {type: Prometheus, spec: {query: 'sum(requests_total{code=~"5.."})'}}
    total:
      metricSource: {metricSourceRef: main, spec: {query: requests_total}}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: burn}
spec:
  description: the policy
  alertWhenBreaching: true
  alertWhenNoData: true
  alertWhenResolved: true
  conditions:
    - conditionRef: fast
    - kind: AlertCondition
      metadata: {name: slow}
      spec:
        severity: ticket
        condition: {kind: burnrate, op: gt, threshold: 1, lookbackWindow: 3d, alertAfter: 1h}
  notificationTargets:
    - targetRef: mail
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec:
  severity: page
  description: It burns fast.
  condition: {kind: burnrate, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: web}
spec: {description: the web}
"""

OPENSLO_OTHERS = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: web-latency}
spec:
  description: Pages come fast.
  indicator:
    metadata: {name: p99}
    spec:
      thresholdMetric:
        metricSource:
          type: prometheus
          spec: {query: 'histogram_quantile(0.99, sum by (le) (rate(seconds_bucket[5m])))'}
  timeWindow:
    - duration: 1M
      calendar: {startTime: "2020-01-01 00:00:00", timeZone: UTC}
  budgetingMethod: Timeslices
  objectives:
    - {op: lte, value: 0.2, target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web-stored}
spec:
  indicator:
    metadata: {name: stored}
    spec:
      ratioMetric:
        rawType: success
        raw: {metricSource: {type: Prometheus, spec: {query: 'min(stored:ratio)'}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{targetPercent: 99}]
  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: inline}
      spec:
        alertWhenBreaching: true
        conditions:
          - conditionRef: fast
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec:
  severity: page
  description: It burns fast.
  condition: {kind: burnrate, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m}
"""

SAMPLES = {
    "prometheus": PROMETHEUS,
    "operator": OPERATOR,
    "sloth": SLOTH,
    "sloth object": SLOTH_OBJECT,
    "pyrra": PYRRA,
    "pyrra latency": PYRRA_LATENCY,
    "pyrra native": PYRRA_NATIVE,
    "pyrra probe": PYRRA_PROBE,
    "openslo": OPENSLO,
    "openslo others": OPENSLO_OTHERS,
}
