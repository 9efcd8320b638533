locals {
  slo_count = var.slo == null ? 0 : 1

  series = "resource.type=\"prometheus_target\" AND resource.labels.cluster=\"__run__\" AND resource.labels.namespace=\"${var.service}\""
}

resource "google_monitoring_custom_service" "tape" {
  count = local.slo_count

  project      = var.project
  service_id   = "tape-${var.service}"
  display_name = "Tape ${var.service}"
}

# Minutes in which every instance was ready.
resource "google_monitoring_slo" "availability" {
  count = local.slo_count

  project             = var.project
  service             = google_monitoring_custom_service.tape[0].service_id
  slo_id              = "availability"
  display_name        = "The store answers"
  goal                = var.slo.availability
  rolling_period_days = 28

  windows_based_sli {
    window_period = "60s"

    metric_mean_in_range {
      time_series = "metric.type=\"prometheus.googleapis.com/tape_ready/gauge\" AND ${local.series}"

      range {
        min = 1
        max = 1
      }
    }
  }
}

# Calls answered in time, whatever the answer. A stream counts when it ends, so streams say nothing here.
resource "google_monitoring_slo" "latency" {
  count = local.slo_count

  project             = var.project
  service             = google_monitoring_custom_service.tape[0].service_id
  slo_id              = "latency"
  display_name        = "Calls are answered within ${var.slo.latency_seconds} s"
  goal                = var.slo.latency
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "metric.type=\"prometheus.googleapis.com/tape_rpc_duration_seconds/histogram\" AND ${local.series} AND metric.labels.method!=monitoring.regex.full_match(\"Subscribe.*|Watch.*\")"

      range {
        max = var.slo.latency_seconds
      }
    }
  }
}

# A budget of 28 days that would be gone in two.
resource "google_monitoring_alert_policy" "burn" {
  for_each = var.slo == null ? {} : {
    availability = google_monitoring_slo.availability[0].id
    latency      = google_monitoring_slo.latency[0].id
  }

  project               = var.project
  display_name          = "Tape ${var.service}: the ${each.key} objective is burning"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "14 times as fast as the objective allows"

    condition_threshold {
      filter          = "select_slo_burn_rate(\"${each.value}\", \"3600s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 14
      duration        = "0s"
    }
  }

  documentation {
    content   = "At this rate the error budget of 28 days is gone in two days."
    mime_type = "text/markdown"
  }
}
