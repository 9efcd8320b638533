output "network" {
  description = "Id of the network."
  value       = google_compute_network.this.id
}

output "subnetwork" {
  description = "Id of the subnet for Cloud Run."
  value       = google_compute_subnetwork.run.id
}

output "private_services_network" {
  description = "Id of the network, known only once it is peered for AlloyDB or Cloud SQL: what takes this one waits for the peering. Null without private_services."
  value       = one(google_service_networking_connection.private_services[*].network)
}
