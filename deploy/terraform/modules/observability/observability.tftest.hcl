variables {
  project               = "acme"
  server_member         = "serviceAccount:tape-server@acme.iam.gserviceaccount.com"
  notification_channels = ["projects/acme/notificationChannels/123"]
}

run "what_needs_a_person_is_an_alert" {
  command = plan

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.this)) == toset(["unknown-effects", "stuck-runs", "stuck-obligations", "overdue-runs", "feed-lag", "not-ready", "failing-calls", "no-metrics"])
    error_message = "There must be an alert for each thing that needs a person."
  }

  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.this : policy.notification_channels == tolist(var.notification_channels) && strcontains(policy.conditions[0].condition_prometheus_query_language[0].query, "namespace=\"tape\"")])
    error_message = "Alerts must go to the channels, and be about this service."
  }
}

run "the_sidecar_reads_the_loopback_port" {
  command = plan

  assert {
    condition     = jsondecode(google_secret_manager_secret_version.sidecar.secret_data).spec.endpoints[0].port == "9464" && google_secret_manager_secret_iam_member.sidecar.secret_id == "tape-metrics-config"
    error_message = "The sidecar must read the server's metrics port, and the server's account this secret only."
  }
}

run "objectives_are_asked_for" {
  command = plan

  variables {
    slo = { availability = 0.995 }
  }

  assert {
    condition     = google_monitoring_slo.availability[0].goal == 0.995 && google_monitoring_slo.latency[0].request_based_sli[0].distribution_cut[0].range[0].max == 1
    error_message = "There must be both objectives."
  }
}

run "an_objective_lies_on_a_bound_of_the_histogram" {
  command = plan

  variables {
    slo = { latency_seconds = 0.3 }
  }

  expect_failures = [var.slo]
}
