output "instance" {
  description = "Id of the instance."
  value       = google_spanner_instance.this.name
}

output "database" {
  description = "Id of the database."
  value       = google_spanner_database.tape.name
}

output "store_url" {
  description = "TAPE_STORE. It holds no credential."
  value       = "spanner://${var.project}/${google_spanner_instance.this.name}/${google_spanner_database.tape.name}"
}

output "environment" {
  description = "What the server needs beside TAPE_STORE, because the store is experimental."
  value       = { TAPE_SPANNER_EXPERIMENTAL = "1" }
}
