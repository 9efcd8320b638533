output "server" {
  description = "Address of the server's service account."
  value       = google_service_account.server.email
}

output "server_member" {
  description = "The server's service account as a member of IAM policies."
  value       = google_service_account.server.member
}

output "workers" {
  description = "Addresses of the workers' service accounts, by name."
  value       = { for name, account in google_service_account.worker : name => account.email }
}

output "worker_members" {
  description = "The workers' service accounts as members of IAM policies, by name."
  value       = { for name, account in google_service_account.worker : name => account.member }
}
