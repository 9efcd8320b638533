output "name" {
  description = "Name of the service."
  value       = google_cloud_run_v2_service.this.name
}

output "uri" {
  description = "Address of the service, https."
  value       = google_cloud_run_v2_service.this.uri
}

output "server_url" {
  description = "The same as clients take it (TAPE_SERVER)."
  value       = replace(google_cloud_run_v2_service.this.uri, "https://", "tapes://")
}

output "audience" {
  description = "What callers' ID tokens are made out to."
  value       = local.audience
}
