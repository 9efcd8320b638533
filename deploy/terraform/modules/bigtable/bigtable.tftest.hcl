variables {
  project = "acme"
  zone    = "europe-west1-b"
}

run "the_table_is_as_a_journal_needs_it" {
  command = plan

  assert {
    condition     = one(google_bigtable_table.tape.column_family).family == "m"
    error_message = "There must be one family, m."
  }

  assert {
    condition     = google_bigtable_gc_policy.one_version.column_family == "m" && google_bigtable_gc_policy.one_version.max_version[0].number == 1
    error_message = "Family m must keep one version."
  }

  assert {
    condition     = length(google_bigtable_instance.this.cluster) == 1 && length(google_bigtable_instance.this.cluster[0].autoscaling_config) == 1
    error_message = "There must be one cluster, which scales."
  }

  assert {
    condition     = google_bigtable_app_profile.tape.single_cluster_routing[0].allow_transactional_writes && google_bigtable_app_profile.tape.single_cluster_routing[0].cluster_id == google_bigtable_instance.this.cluster[0].cluster_id
    error_message = "The app profile must route to that cluster and allow single-row transactions."
  }

  assert {
    condition     = output.store_url == "bigtable://acme/tape-journal/tape?appProfile=tape"
    error_message = "The URL must name the app profile."
  }
}

run "instance_and_table_are_protected" {
  command = plan

  assert {
    condition     = google_bigtable_instance.this.deletion_protection && google_bigtable_table.tape.deletion_protection == "PROTECTED"
    error_message = "Deletion protection must be on by default."
  }
}

run "protection_can_be_lifted" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = !google_bigtable_instance.this.deletion_protection && google_bigtable_table.tape.deletion_protection == "UNPROTECTED"
    error_message = "Deletion protection must be off."
  }
}

run "the_profile_that_the_service_makes_is_not_ours" {
  command = plan

  variables {
    app_profile = "default"
  }

  expect_failures = [var.app_profile]
}
