output "repository" {
  description = "Where images are pushed: <this>/tape:<version>."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.repository_id}"
}
