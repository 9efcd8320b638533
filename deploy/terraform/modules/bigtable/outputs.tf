output "instance" {
  description = "Id of the instance."
  value       = google_bigtable_instance.this.name
}

output "table" {
  description = "Name of the table."
  value       = google_bigtable_table.tape.name
}

output "store_url" {
  description = "TAPE_STORE. It holds no credential."
  value       = "bigtable://${var.project}/${google_bigtable_instance.this.name}/${google_bigtable_table.tape.name}?appProfile=${google_bigtable_app_profile.tape.app_profile_id}"

  # Whoever has the URL finds a table as Tape needs it.
  depends_on = [google_bigtable_gc_policy.one_version]
}
