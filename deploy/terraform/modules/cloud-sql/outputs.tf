output "instance" {
  description = "Connection name of the instance (project:region:name), as the Cloud SQL Auth Proxy takes it."
  value       = google_sql_database_instance.this.connection_name
}

output "name" {
  description = "Name of the instance."
  value       = google_sql_database_instance.this.name
}

output "database_user" {
  description = "Name of the server's database user."
  value       = local.database_user
}

output "store_url" {
  description = "TAPE_STORE for a server beside the Cloud SQL Auth Proxy. It holds no password: the proxy logs in by IAM, and encrypts."
  value       = "postgres://${urlencode(local.database_user)}@127.0.0.1:5432/${var.database}?sslmode=disable"

  # Whoever has the URL can connect.
  depends_on = [google_sql_database.tape, google_sql_user.server]
}

output "setup_sql" {
  description = "What an administrator runs once, as `postgres` in Cloud SQL Studio in the journal's database, before the server starts for the first time: Cloud SQL gives IAM users no right to make tables."
  value       = <<-EOT
    grant create on database ${var.database} to "${local.database_user}";
    grant usage, create on schema public to "${local.database_user}";
  EOT
}
