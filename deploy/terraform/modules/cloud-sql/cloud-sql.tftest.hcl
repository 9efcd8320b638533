variables {
  project         = "acme"
  region          = "europe-west1"
  network         = "projects/acme/global/networks/tape"
  service_account = "tape-server@acme.iam.gserviceaccount.com"
}

run "private_encrypted_backed_up_and_protected" {
  command = plan

  assert {
    condition     = google_sql_database_instance.this.deletion_protection && google_sql_database_instance.this.settings[0].deletion_protection_enabled
    error_message = "Deletion protection must be on by default, in Terraform and in the service."
  }

  assert {
    condition     = !google_sql_database_instance.this.settings[0].ip_configuration[0].ipv4_enabled && google_sql_database_instance.this.settings[0].ip_configuration[0].private_network == var.network
    error_message = "The instance must have a private address only."
  }

  assert {
    condition     = google_sql_database_instance.this.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY"
    error_message = "Connections must be encrypted."
  }

  assert {
    condition     = google_sql_database_instance.this.settings[0].backup_configuration[0].enabled && google_sql_database_instance.this.settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "Backups and recovery to any second must be on."
  }

  assert {
    condition     = one(google_sql_database_instance.this.settings[0].database_flags).name == "cloudsql.iam_authentication" && google_sql_user.server.password == null
    error_message = "The server must log in by IAM, without a password."
  }

  assert {
    condition     = output.store_url == "postgres://tape-server%40acme.iam@127.0.0.1:5432/tape?sslmode=disable"
    error_message = "The URL must name the IAM user, and the proxy on loopback."
  }
}

run "connections_cannot_be_unencrypted" {
  command = plan

  variables {
    ssl_mode = "ALLOW_UNENCRYPTED_AND_ENCRYPTED"
  }

  expect_failures = [var.ssl_mode]
}
