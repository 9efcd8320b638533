variables {
  project   = "acme"
  store_url = "bigtable://acme/tape-journal/tape?appProfile=tape"
  accessors = { server = "serviceAccount:tape-server@acme.iam.gserviceaccount.com" }
}

run "readers_may_read_this_secret_only" {
  command = plan

  assert {
    condition     = alltrue([for grant in google_secret_manager_secret_iam_member.accessor : grant.secret_id == "tape-store" && grant.role == "roles/secretmanager.secretAccessor"])
    error_message = "Grants must be on the secret, to read it."
  }

  assert {
    condition     = google_secret_manager_secret.store.deletion_protection && length(google_secret_manager_secret.store.replication[0].auto) == 1
    error_message = "The secret must be protected, and replicated by Google."
  }
}

run "a_url_can_be_kept_out_of_the_state" {
  command = plan

  variables {
    store_url = null
    locations = ["europe-west1", "europe-west4"]
  }

  assert {
    condition     = length(google_secret_manager_secret_version.store) == 0 && output.version == "latest"
    error_message = "There must be no version of ours."
  }

  assert {
    condition     = [for replica in google_secret_manager_secret.store.replication[0].user_managed[0].replicas : replica.location] == ["europe-west1", "europe-west4"]
    error_message = "The secret must be kept where it was asked for."
  }
}

run "a_file_is_no_store_for_a_container" {
  command = plan

  variables {
    store_url = "sqlite:./tape.db"
  }

  expect_failures = [var.store_url]
}

run "people_have_no_use_for_it" {
  command = plan

  variables {
    accessors = { ana = "user:ana@example.com" }
  }

  expect_failures = [var.accessors]
}
