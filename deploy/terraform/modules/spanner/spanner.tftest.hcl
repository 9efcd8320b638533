variables {
  project = "acme"
  config  = "regional-europe-west1"
}

run "the_database_is_empty_and_protected" {
  command = plan

  assert {
    condition     = google_spanner_database.tape.ddl == null && google_spanner_database.tape.database_dialect == "GOOGLE_STANDARD_SQL"
    error_message = "The database must be empty, in GoogleSQL."
  }

  assert {
    condition     = google_spanner_database.tape.deletion_protection && google_spanner_database.tape.enable_drop_protection && !google_spanner_instance.this.force_destroy
    error_message = "Deletion protection must be on by default."
  }

  assert {
    condition     = output.store_url == "spanner://acme/tape/tape" && output.environment.TAPE_SPANNER_EXPERIMENTAL == "1"
    error_message = "The server must be told the database, and that the store is experimental."
  }
}

run "odd_sizes_are_refused" {
  command = plan

  variables {
    processing_units = 1500
  }

  expect_failures = [var.processing_units]
}
