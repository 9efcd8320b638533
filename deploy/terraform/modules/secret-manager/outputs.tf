output "secret" {
  description = "Name of the secret, known only once its readers may read it."
  value       = google_secret_manager_secret.store.secret_id

  depends_on = [google_secret_manager_secret_iam_member.accessor]
}

output "version" {
  description = "Number of the version with the store's URL: a new URL is a new number, and so a new revision. `latest` where versions are added outside of Terraform."
  value       = one(google_secret_manager_secret_version.store[*].version) == null ? "latest" : one(google_secret_manager_secret_version.store[*].version)
}
