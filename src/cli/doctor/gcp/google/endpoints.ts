/** The base URLs of the APIs that are asked. */
export interface Endpoints {
  readonly run: string;
  readonly secretmanager: string;
  readonly serviceusage: string;
  readonly cloudresourcemanager: string;
  readonly iam: string;
  readonly alloydb: string;
  readonly sqladmin: string;
  readonly bigtableadmin: string;
  readonly spanner: string;
  /** Tells whose a token is. */
  readonly oauth2: string;
}

/** Source: the discovery documents of the APIs. */
export const googleEndpoints: Endpoints = Object.freeze({
  run: "https://run.googleapis.com",
  secretmanager: "https://secretmanager.googleapis.com",
  serviceusage: "https://serviceusage.googleapis.com",
  cloudresourcemanager: "https://cloudresourcemanager.googleapis.com",
  iam: "https://iam.googleapis.com",
  alloydb: "https://alloydb.googleapis.com",
  sqladmin: "https://sqladmin.googleapis.com",
  bigtableadmin: "https://bigtableadmin.googleapis.com",
  spanner: "https://spanner.googleapis.com",
  oauth2: "https://oauth2.googleapis.com",
});
