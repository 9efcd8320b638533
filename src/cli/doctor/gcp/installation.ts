import { fail, untold, type Finding } from "../finding.ts";
import { gcloud, grantInProject, note } from "./commands.ts";
import type { GcpCheckId } from "./gcp-checks.ts";
import type { GcpOptions } from "./gcp-options.ts";
import type { Answer, Refusal } from "./google/answer.ts";
import type { GoogleApi } from "./google/google-api.ts";
import type { JsonView } from "./google/json-view.ts";
import type { Look } from "./google/look.ts";
import type { Caller } from "./google/sign-in.ts";
import { findSecret, type SecretRef } from "./secret/find-secret.ts";
import { lookIntoSecret, type Payload } from "./secret/payload.ts";
import { findAccount } from "./service/find-account.ts";
import { findService } from "./service/find-service.ts";
import type { CloudRunService } from "./service/cloud-run-service.ts";
import { seen, unseen, type Sight } from "./sight.ts";
import { findStore, type FoundStore } from "./store/find-store.ts";

/** What is being checked. What several checks need is looked for once. Its methods never reject. */
export class Installation {
  readonly options: GcpOptions;
  readonly project: string;
  readonly caller: Caller;
  readonly #api: GoogleApi;
  #service: Promise<Sight<CloudRunService>> | undefined;
  #secret: Promise<Sight<SecretRef>> | undefined;
  #payload: Promise<Sight<Payload>> | undefined;
  #account: Promise<Sight<string>> | undefined;
  #store: Promise<Sight<FoundStore>> | undefined;

  constructor(options: GcpOptions, project: string, caller: Caller, api: GoogleApi) {
    this.options = options;
    this.project = project;
    this.caller = caller;
    this.#api = api;
  }

  ask(look: Look): Promise<Answer> {
    return this.#api.ask(look);
  }

  /** What there is, or the finding that says why it cannot be seen. */
  async see(look: Look): Promise<Sight<JsonView>> {
    const answer = await this.ask(look);
    return answer.kind === "found" ? seen(answer.body) : unseen((id) => this.refused(id, look, answer));
  }

  /** What an answer comes to that is none. */
  refused(id: GcpCheckId, look: Look, refusal: Refusal): Finding {
    return refusalFinding(id, look, refusal, this.caller, this.project);
  }

  service(): Promise<Sight<CloudRunService>> {
    return (this.#service ??= findService(this));
  }

  /** Which secret holds the store URL. */
  secret(): Promise<Sight<SecretRef>> {
    return (this.#secret ??= findSecret(this));
  }

  payload(): Promise<Sight<Payload>> {
    return (this.#payload ??= lookIntoSecret(this));
  }

  /** The address of the server's service account. */
  account(): Promise<Sight<string>> {
    return (this.#account ??= findAccount(this));
  }

  store(): Promise<Sight<FoundStore>> {
    return (this.#store ??= findStore(this));
  }
}

function refusalFinding(
  id: GcpCheckId,
  { what, permission, grant, create }: Look,
  refusal: Refusal,
  { name, member }: Caller,
  asked: string,
): Finding {
  switch (refusal.kind) {
    case "missing":
      return fail(
        id,
        `there is no ${what}`,
        create.length > 0 ? create : [note("are project, region and names right?")],
      );
    case "forbidden":
      return untold(id, `${name} may not look at ${what}: it lacks ${refusal.permission ?? permission}`, [
        grant(member),
      ]);
    case "disabled": {
      // The consumer is the project that calls are counted for, which for a person's login may be gcloud's own.
      const { api, project = asked } = refusal;
      return untold(
        id,
        `${what} cannot be looked at: ${api} is not enabled in project ${project}, which the calls are counted for`,
        [
          gcloud("services enable", [api], { project: asked }),
          gcloud("auth application-default set-quota-project", [asked], {}),
        ],
      );
    }
    case "unbilled":
      return fail(id, `${what} cannot be looked at: project ${refusal.project ?? asked} has no billing account`, [
        gcloud("billing projects link", [asked], { "billing-account": "ACCOUNT_ID" }),
      ]);
    case "no-quota-project":
      return untold(
        id,
        `${what} cannot be looked at: ${name} may not call APIs on behalf of project ${refusal.project ?? asked}`,
        [
          grantInProject(asked, "roles/serviceusage.serviceUsageConsumer")(member),
          gcloud("auth application-default set-quota-project", [asked], {}),
        ],
      );
    case "unanswered":
    case "unreachable":
      return untold(id, `${what} cannot be looked at: ${refusal.why}`, [note("run tape doctor --gcp again")]);
  }
}
