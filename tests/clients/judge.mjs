// Judges the results of one run of the conformance suite: every scenario below must have run and no check of it may have
// failed, except those that the suite itself calls untestable without its fixture tools.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const REQUIRED = {
  "2025-11-25": [
    "server-initialize",
    "ping",
    "completion-complete",
    "tools-list",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
  ],
  "2026-07-28": [
    "server-stateless",
    "completion-complete",
    "tools-list",
    "resources-list",
    "prompts-list",
    "sep-2164-resource-not-found",
    "dns-rebinding-protection",
    "caching",
    "http-header-validation",
    "server-sse-multiple-streams",
    "input-required-result-unsupported-methods",
    "input-required-result-ignore-extra-params",
    "input-required-result-validate-input",
  ],
};

const [revision, folder] = process.argv.slice(2);
const runs = readdirSync(folder);
let failures = 0;
for (const scenario of REQUIRED[revision]) {
  const run = runs.find((name) => name.startsWith(`server-${scenario}-20`));
  if (run === undefined) {
    console.log(`${revision} ${scenario}: did not run`);
    failures += 1;
    continue;
  }
  const checks = JSON.parse(readFileSync(join(folder, run, "checks.json"), "utf8"));
  const failed = checks.filter((check) => check.status === "FAILURE");
  const untestable = failed.filter((check) => check.details?.untestable === true);
  const real = failed.filter((check) => !untestable.includes(check));
  const passed = checks.filter((check) => check.status === "SUCCESS").length;
  const note = untestable.length > 0 ? `, ${untestable.length} need fixture tools` : "";
  console.log(`${revision} ${scenario}: ${passed} passed, ${real.length} failed${note}`);
  for (const check of real) {
    console.log(`    ${check.id}: ${check.errorMessage}`);
  }
  failures += real.length + (passed === 0 ? 1 : 0);
}
process.exit(failures === 0 ? 0 : 1);
