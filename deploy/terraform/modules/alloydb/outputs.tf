output "instance" {
  description = "Full name of the primary instance, as the Auth Proxy takes it."
  value       = google_alloydb_instance.primary.name
}

output "cluster" {
  description = "Full name of the cluster."
  value       = google_alloydb_cluster.this.name
}

output "database_user" {
  description = "Name of the server's database user."
  value       = local.database_user
}

output "store_url" {
  description = "TAPE_STORE for a server beside the Auth Proxy. It holds no password: the proxy logs in by IAM, and encrypts."
  value       = "alloydb://${urlencode(local.database_user)}@127.0.0.1:5432/${var.database}?sslmode=disable"

  # Whoever has the URL can connect.
  depends_on = [google_alloydb_instance.primary, google_alloydb_user.server]
}

output "setup_sql" {
  description = "What an administrator runs once, as `postgres` in AlloyDB Studio, before the server starts for the first time."
  value       = <<-EOT
    create database ${var.database};
    grant connect, create, temporary on database ${var.database} to "${local.database_user}";
    -- then, connected to database ${var.database}:
    grant usage, create on schema public to "${local.database_user}";
  EOT
}
