variables {
  project = "acme"
  store   = { kind = "alloydb" }
}

run "alloydb_takes_three_roles_on_the_project_and_no_secrets" {
  command = plan

  assert {
    condition     = toset([for grant in google_project_iam_member.store : grant.role]) == toset(["roles/alloydb.client", "roles/alloydb.databaseUser", "roles/serviceusage.serviceUsageConsumer"])
    error_message = "The server must have the roles of a client, and no more."
  }

  assert {
    condition     = alltrue([for grant in google_project_iam_member.store : !strcontains(grant.role, "secretmanager") && !strcontains(grant.role, "editor") && !strcontains(grant.role, "admin")])
    error_message = "No secret and nothing administrative may be granted on the project."
  }
}

run "cloud_sql_is_one_instance" {
  command = plan

  variables {
    store = { kind = "cloud-sql", instance = "tape" }
  }

  assert {
    condition     = alltrue([for grant in google_project_iam_member.store : strcontains(grant.condition[0].expression, "projects/acme/instances/tape")])
    error_message = "Grants must hold for the journal's instance only."
  }
}

run "cloud_sql_needs_its_name" {
  command = plan

  variables {
    store = { kind = "cloud-sql" }
  }

  expect_failures = [google_project_iam_member.store]
}

run "bigtable_is_one_table" {
  command = plan

  variables {
    store = { kind = "bigtable", instance = "tape-journal", table = "tape" }
  }

  assert {
    condition     = google_bigtable_table_iam_member.user[0].role == "roles/bigtable.user" && google_bigtable_table_iam_member.user[0].table == "tape" && google_bigtable_instance_iam_member.viewer[0].role == "roles/bigtable.viewer" && length(google_project_iam_member.store) == 0
    error_message = "The server must read and write one table, and only look at the instance."
  }
}

run "spanner_is_one_database" {
  command = plan

  variables {
    store           = { kind = "spanner", instance = "tape", database = "tape" }
    server_migrates = false
  }

  assert {
    condition     = toset([for grant in google_spanner_database_iam_member.server : grant.role]) == toset(["roles/spanner.databaseUser"]) && length(google_project_iam_member.store) == 0
    error_message = "A server that does not migrate must only use its database."
  }
}

run "metrics_are_the_only_other_grant" {
  command = plan

  variables {
    metrics = false
  }

  assert {
    condition     = length(google_project_iam_member.metrics) == 0
    error_message = "Without metrics nothing may be granted for them."
  }
}
