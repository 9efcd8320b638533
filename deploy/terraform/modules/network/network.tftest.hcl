variables {
  project = "acme"
  region  = "europe-west1"
}

run "private_in_every_direction" {
  command = plan

  assert {
    condition     = google_compute_subnetwork.run.private_ip_google_access && !google_compute_network.this.auto_create_subnetworks
    error_message = "Google's APIs must be reached privately, from one subnet."
  }

  assert {
    condition     = google_compute_global_address.private_services[0].purpose == "VPC_PEERING" && length(google_dns_record_set.run_app) == 2
    error_message = "There must be a range for databases, and private names of Cloud Run."
  }
}

run "without_databases_nothing_is_peered" {
  command = plan

  variables {
    private_services = false
  }

  assert {
    condition     = length(google_service_networking_connection.private_services) == 0 && output.private_services_network == null
    error_message = "Nothing may be peered."
  }
}

run "a_subnet_has_room" {
  command = plan

  variables {
    subnet_cidr = "10.20.0.0/28"
  }

  expect_failures = [var.subnet_cidr]
}
