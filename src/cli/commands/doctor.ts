import { Command, Option } from "commander";
import type { ConfigFlags } from "../../server/settings.ts";
import type { CommandContext } from "../command-context.ts";
import type { DoctorOptions } from "../doctor/doctor.ts";
import { withServerFlags } from "../server-flags.ts";

/** `tape doctor` */
export function doctorCommand(context: CommandContext): Command {
  return withServerFlags(new Command("doctor"))
    .summary("check this installation")
    .description(
      "check this installation: machine, settings, store; with --live the journal in it, with --gcp the cloud around it",
    )
    .optionsGroup("What to check (default: machine, settings and store):")
    .option("--live", "the state of the journal: what waits for a person, what is overdue")
    .option("--gcp", "the installation in Google Cloud: APIs, roles, secret, service, database")
    .option("--run <run>", "one run: how it stands, and whether its journal is whole")
    .option("--dump-run <run>", "print a run for a report of a fault, without payloads, as JSON")
    .option("--server <url>", "ask this server instead of opening the store; for --live, --run and --dump-run")
    .option("--token <token>", "its bearer token; better in TAPE_TOKEN, where other users do not see it")
    .option("--no-self-test", "do not write a scratch run to see whether it survives a crash")
    .addOption(
      new Option("--project <id>", "for --gcp: the project (default: that of the store URL or the credentials)"),
    )
    .addOption(new Option("--region <name>", "for --gcp: where the service runs"))
    .addOption(new Option("--service <name>", "for --gcp: the Cloud Run service").default("tape"))
    .option("--secret <name>", "for --gcp: the secret with the store URL (default: the one that the service reads)")
    .option("--service-account <address>", "for --gcp: the account that the server should run as")
    .option("--public-ingress", "for --gcp: the server is meant to be reached from the internet")
    .optionsGroup("What to do with it:")
    .option("--fix", "do the repairs that are safe, each named before it is done")
    .option("--strict", "a warning counts too")
    .option("--json", "as JSON, one document")
    .addHelpText(
      "after",
      `
Exit codes of doctor: 0 healthy, 1 a warning (with --strict), 2 a failure, 3 something could not be told.
Each check has a stable id; docs/doctor.md says what it looks at and how to mend what it finds.

Examples:
  tape doctor
  TAPE_STORE=postgres://tape@db/tape tape doctor --live
  tape doctor --gcp --project my-project --region europe-west1 --strict
  tape doctor --json | jq '.findings[] | select(.outcome == "fail")'`,
    )
    .action(async (options: DoctorOptions & ConfigFlags) => {
      const { runDoctor } = await import("../doctor/doctor.ts");
      await runDoctor(options, context);
    });
}
