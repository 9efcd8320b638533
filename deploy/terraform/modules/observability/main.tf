locals {
  # How the sidecar labels what it reads on Cloud Run.
  selector = "cluster=\"__run__\",namespace=\"${var.service}\""

  alerts = merge(
    {
      unknown-effects = {
        title    = "effects with an unknown outcome"
        severity = "CRITICAL"
        query    = "max(tape_attention_unknown_effects{${local.selector}}) > 0"
        duration = "300s"
        text     = "A tool was called and nobody knows what came of it, so the run waits for a person. `tape show RUN` shows the effect, `tape resolve` settles it."
      }
      stuck-runs = {
        title    = "stuck runs"
        severity = "ERROR"
        query    = "max(tape_attention_stuck_runs{${local.selector}}) > 0"
        duration = "600s"
        text     = "A run is STUCK: its agent, or whoever resolved one of its effects, has said that a person must look. `tape show RUN` shows why, `tape resolve` and `tape cancel` go on from there."
      }
      stuck-obligations = {
        title    = "stuck obligations"
        severity = "ERROR"
        query    = "max(tape_attention_stuck_obligations{${local.selector}}) > 0"
        duration = "600s"
        text     = "What is still owed for an effect (to undo it, to ask about it) could not be done, and nobody tries any more. `tape show RUN` shows it, `tape resolve` settles it."
      }
      overdue-runs = {
        title    = "runs that nobody takes up"
        severity = "ERROR"
        query    = "max(tape_recoverable_runs_overdue{${local.selector}}) > 0"
        duration = "600s"
        text     = "Agents of these runs are gone, and no worker has taken them up: the workers are down, or keep failing. Nothing is lost; they go on when a worker does."
      }
      feed-lag = {
        title    = "the feed is behind"
        severity = "WARNING"
        query    = "max(tape_feed_lag_seconds{${local.selector}}) > ${var.feed_lag_seconds}"
        duration = "300s"
        text     = "Followers and reactions see entries late. With PostgreSQL the usual reason is a transaction that writes and stays open on the same server: the server's log names it."
      }
      not-ready = {
        title    = "a server is not ready"
        severity = "CRITICAL"
        query    = "min(tape_ready{${local.selector}}) < 1"
        duration = "120s"
        text     = "The store does not answer an instance of the server. `/readyz` and the server's log say why."
      }
      failing-calls = {
        title    = "calls fail"
        severity = "ERROR"
        query    = "sum(rate(tape_rpc_duration_seconds_count{${local.selector},code=~\"UNAVAILABLE|INTERNAL|DATA_LOSS|UNKNOWN\"}[5m])) / sum(rate(tape_rpc_duration_seconds_count{${local.selector}}[5m])) > ${var.error_ratio}"
        duration = "300s"
        text     = "Too many calls fail for reasons of the server's side. The server's log has each with its reason."
      }
    },
    var.alert_on_absence ? {
      no-metrics = {
        title    = "no metrics"
        severity = "ERROR"
        query    = "absent(tape_ready{${local.selector}})"
        duration = "600s"
        text     = "No instance of the server has reported for ten minutes: none runs, or the metrics sidecar does not."
      }
    } : {},
  )
}

# Not secret, but a secret is what Cloud Run can mount into a sidecar.
resource "google_secret_manager_secret" "sidecar" {
  project   = var.project
  secret_id = "${var.service}-metrics-config"
  labels    = var.labels

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "sidecar" {
  secret = google_secret_manager_secret.sidecar.id

  # JSON is YAML.
  secret_data = jsonencode({
    apiVersion = "monitoring.googleapis.com/v1beta"
    kind       = "RunMonitoring"
    metadata   = { name = "tape" }
    spec = {
      endpoints = [{
        port     = tostring(var.metrics_port)
        path     = "/metrics"
        interval = "${var.scrape_interval_seconds}s"
      }]
      targetLabels = { metadata = ["service", "revision", "instance"] }
    }
  })

  deletion_policy = "ABANDON"
}

resource "google_secret_manager_secret_iam_member" "sidecar" {
  project   = var.project
  secret_id = google_secret_manager_secret.sidecar.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = var.server_member
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  project               = var.project
  display_name          = "Tape ${var.service}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.duration
      evaluation_interval = "60s"
      rule_group          = "tape"
      alert_rule          = replace(each.key, "-", "_")

      # The metrics may come after this policy: the first instance brings them.
      disable_metric_validation = true
    }
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "1800s"
  }
}
