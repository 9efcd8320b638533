output "metrics" {
  description = "What tape-cloud-run takes as `metrics`."
  value = {
    config_secret  = google_secret_manager_secret.sidecar.secret_id
    config_version = google_secret_manager_secret_version.sidecar.version
    port           = var.metrics_port
  }

  depends_on = [google_secret_manager_secret_iam_member.sidecar]
}

output "alert_policies" {
  description = "Names of the alert policies."
  value       = { for name, policy in google_monitoring_alert_policy.this : name => policy.name }
}
