variables {
  project         = "acme"
  region          = "europe-west1"
  network         = "projects/acme/global/networks/tape"
  service_account = "tape-server@acme.iam.gserviceaccount.com"
}

run "backups_and_protection_are_on" {
  command = plan

  assert {
    condition     = terraform_data.deletion_protection.input == true
    error_message = "Deletion protection must be on by default."
  }

  assert {
    condition     = google_alloydb_cluster.this.continuous_backup_config[0].enabled && google_alloydb_cluster.this.automated_backup_policy[0].enabled
    error_message = "Continuous and daily backups must be on."
  }

  assert {
    condition     = length(google_alloydb_instance.read_pool) == 0
    error_message = "There must be no read pool by default."
  }
}

run "nobody_has_a_password_or_a_public_address" {
  command = plan

  assert {
    condition     = length(google_alloydb_cluster.this.initial_user) == 0 && google_alloydb_user.server.password == null && google_alloydb_user.server.user_type == "ALLOYDB_IAM_USER"
    error_message = "The server must log in by IAM, and no password may be in the state."
  }

  assert {
    condition     = length(google_alloydb_instance.primary.network_config) == 0 && google_alloydb_instance.primary.client_connection_config[0].require_connectors
    error_message = "The instance must have private addresses only, for connectors only."
  }

  assert {
    condition     = google_alloydb_instance.primary.database_flags["alloydb.iam_authentication"] == "on"
    error_message = "IAM authentication must be on."
  }

  assert {
    condition     = output.store_url == "alloydb://tape-server%40acme.iam@127.0.0.1:5432/tape?sslmode=disable"
    error_message = "The URL must name the IAM user, and the proxy on loopback."
  }
}

run "a_read_pool_can_be_had" {
  command = plan

  variables {
    read_pool_nodes = 2
  }

  assert {
    condition     = google_alloydb_instance.read_pool[0].read_pool_config[0].node_count == 2
    error_message = "There must be a read pool of two nodes."
  }
}
