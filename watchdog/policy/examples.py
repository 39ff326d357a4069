"""Whole files for the rule language's reference; a test loads them as the daemon would."""

PLATFORM = """\
# platform.yaml
version: 1
environment: production

sources:
  metrics:
    prometheus: http://127.0.0.1:9090
    every: 15s
    scraped_every: 15s                 # how often that Prometheus itself looks

actions:
  pause-withdrawals:
    flag: withdrawals                  # the target; the action's desired state is "off"
    read_back:                         # asked where the flag is served, not where it is changed
      get: https://wallet.example.org/api/flags/withdrawals
    do:
      call:
        method: PUT
        url: https://flags.example.org/v1/withdrawals
        headers:
          Authorization: {secret: flag-service, prefix: "Bearer "}
        json: {enabled: false}
      expect: "enabled == `false`"     # of the read-back; the call's own answer is only a claim
    undo:                              # only when a person asks for it
      call:
        method: PUT
        url: https://flags.example.org/v1/withdrawals
        headers:
          Authorization: {secret: flag-service, prefix: "Bearer "}
        json: {enabled: true}
      expect: "enabled == `true`"
    contained_when:                    # proof that it helped, beside the rule's own recovery
      - {get: "https://wallet.example.org/status", expect: "withdrawals.open == `0`"}
    resume_when:                       # what must hold before an undo
      - {get: "https://wallet.example.org/health", expect: "status == 'ok'"}
    ready_when:                        # looked at all the time; else it is not ready, and says so
      - {get: "https://flags.example.org/v1/health", expect: "status == 'ok'"}
    verification:                      # looked at afterwards and recorded; decides nothing
      wallet-health: {http: "https://wallet.example.org/health", expect: "status == 'ok'"}
      deposits-go-on: {command: [wallet-selftest, --deposits], within: 5m, says: others can pay in}
    deadline: 20s                      # until the read-back shows it
    sla: 1m                            # what was promised to others
    drilled_within: 45d                # without a good drill of that age it asks people
    host: any

playbooks:
  withdrawals:
    - {action: pause-withdrawals, mode: armed, within: 5m}

grants:
  wallet-team: [withdrawals, pause-withdrawals]

limits:
  budget: {actions: 2, per: 24h}
  blast_radius: 3
"""

RULES = """\
# wallet-team/rules.yaml
version: 1
rules:
  withdrawal-availability:
    severity: P1
    summary: Withdrawals fail faster than the error budget allows.
    runbook: https://wiki.example.org/withdrawals
    source: metrics
    slo:
      objective: 99.9%
      period: 30d
      bad: withdrawals_total{result="error"}
      total: withdrawals_total
      burn:                            # any pair whose both windows burn too fast is a breach
        - {budget: 2%, long: 1h, short: 5m}
        - {budget: 5%, long: 6h, short: 30m}
    minimum_events: 50
    for: 1m
    playbook: withdrawals
    up_to: pause-withdrawals
    mode: armed
    armed_because: two months in shadow without a false alarm
    cooldown: 1h
    watch: 30m
    on_blind: {page_after: 10m}
"""

__all__ = ["PLATFORM", "RULES"]
