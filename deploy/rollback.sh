#!/usr/bin/env bash
# Rolls a deployment back to an earlier revision, in the four phases of the emergency rollback plan, and writes down what was done
# and when.
#
#   deploy/rollback.sh                           back to the revision before, asking before it changes anything
#   deploy/rollback.sh --to-revision 12 --yes --reason "errors after 1.4.0" --commander ada
#   deploy/rollback.sh --dry-run                 say every step and run none
#
# Needs kubectl with access to the namespace, and curl. Exit codes: 0 rolled back and stable (or a dry run), 1 the rollback is not
# stable, 2 given up before anything changed, 64 wrong arguments.
set -euo pipefail

NAMESPACE=""
DEPLOYMENT="spreadsheet-mcp"
REVISION=0
REASON=""
COMMANDER=""
ALERTMANAGER=""
WATCH=120
YES=false
DRY_RUN=false
LOG=""

usage() {
  cat <<'TEXT'
Usage: deploy/rollback.sh [OPTIONS]

  --namespace NAME      the namespace (that of the current context)
  --deployment NAME     the deployment (spreadsheet-mcp)
  --to-revision N       the revision to go back to (the one before)
  --reason TEXT         why, for the record of the incident (asked for)
  --commander NAME      who approved it (asked for)
  --alertmanager URL    tell the on-call engineer through this Alertmanager
  --watch SECONDS       how long the rolled back deployment has to stay stable (120)
  --log FILE            where the timeline goes (rollback-TIME.md in the current folder)
  --yes                 do not ask; needs --reason and --commander
  --dry-run             say every step and run none
TEXT
}

wrong() {
  echo "rollback: $1" >&2
  usage >&2
  exit 64
}

while [ $# -gt 0 ]; do
  case $1 in
    --namespace | --deployment | --to-revision | --reason | --commander | --alertmanager | --watch | --log)
      [ $# -ge 2 ] || wrong "$1 needs a value"
      ;;&
    --namespace) NAMESPACE=$2; shift 2 ;;
    --deployment) DEPLOYMENT=$2; shift 2 ;;
    --to-revision) REVISION=$2; shift 2 ;;
    --reason) REASON=$2; shift 2 ;;
    --commander) COMMANDER=$2; shift 2 ;;
    --alertmanager) ALERTMANAGER=$2; shift 2 ;;
    --watch) WATCH=$2; shift 2 ;;
    --log) LOG=$2; shift 2 ;;
    --yes) YES=true; shift ;;
    --dry-run) DRY_RUN=true; shift ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown argument $1" ;;
  esac
done
[[ $REVISION =~ ^[0-9]+$ ]] || wrong "--to-revision is a number"
[[ $WATCH =~ ^[0-9]+$ ]] || wrong "--watch is a number of seconds"
if $YES && { [ -z "$REASON" ] || [ -z "$COMMANDER" ]; }; then
  wrong "--yes needs --reason and --commander: a rollback that nobody approved is an incident of its own"
fi

BEGAN=$(date +%s)
[ -n "$LOG" ] || LOG="rollback-$(date -u +%Y%m%dT%H%M%SZ).md"
KUBECTL=(kubectl)
[ -z "$NAMESPACE" ] || KUBECTL+=(--namespace "$NAMESPACE")

# A line of the timeline, on the screen and in the record.
note() {
  local elapsed=$(($(date +%s) - BEGAN))
  local line
  line=$(printf -- '- %s (+%d:%02d) %s' "$(date -u +%H:%M:%SZ)" $((elapsed / 60)) $((elapsed % 60)) "$1")
  echo "$line"
  $DRY_RUN || echo "$line" >>"$LOG"
}

phase() {
  echo
  echo "## $1"
  $DRY_RUN || printf '\n## %s\n\n' "$1" >>"$LOG"
}

# Runs a step, or says it.
step() {
  local what=$1
  shift
  if $DRY_RUN; then
    note "would: $what"
    printf '      %q' "$1"
    shift
    printf ' %q' "$@"
    echo
    return 0
  fi
  note "$what"
  "$@"
}

# Looks at something, and writes down what is seen. Not seeing it keeps nobody from rolling back.
look() {
  local what=$1 seen
  if $DRY_RUN; then
    step "$@"
    return
  fi
  note "$what"
  shift
  seen=$("$@" 2>&1) || note "it could not be read; going on"
  echo "$seen"
  printf '\n```\n%s\n```\n\n' "$seen" >>"$LOG"
}

ask() {
  local answer
  $YES && return 0
  $DRY_RUN && { note "would ask: $1"; return 0; }
  read -r -p "$1 [y/N] " answer || answer=""
  [ "$answer" = y ] || [ "$answer" = yes ]
}

ask_for() {
  local answer=""
  if [ -n "$2" ] || $DRY_RUN; then
    echo "${2:-(asked for)}"
    return
  fi
  while [ -z "$answer" ]; do
    read -r -p "$1: " answer || { echo "rollback: no answer" >&2; exit 2; }
  done
  echo "$answer"
}

give_up() {
  note "given up: $1"
  exit 2
}

# The namespace that is meant; kubectl's own default where nobody says one.
namespace() {
  local of_context=""
  [ -n "$NAMESPACE" ] || of_context=$(kubectl config view --minify --output 'jsonpath={..namespace}' 2>/dev/null || true)
  echo "${NAMESPACE:-${of_context:-default}}"
}

# Whoever stops half-way leaves rollouts as they can go on.
PAUSED=false
trap '$PAUSED && "${KUBECTL[@]}" rollout resume "deployment/$DEPLOYMENT" >/dev/null 2>&1 || true' EXIT

tell_on_call() {
  local labels annotations
  labels="{\"alertname\":\"SpreadsheetMcpRollback\",\"severity\":\"critical\",\"deployment\":\"$DEPLOYMENT\"}"
  annotations="{\"summary\":\"$DEPLOYMENT is being rolled back\"}"
  curl --fail --silent --show-error --max-time 10 --header "content-type: application/json" \
    --data "[{\"labels\":$labels,\"annotations\":$annotations}]" "$ALERTMANAGER/api/v2/alerts"
}

# All replicas are there, are of the newest generation, and nothing restarted since.
is_stable() {
  local state
  state=$("${KUBECTL[@]}" get "deployment/$DEPLOYMENT" --output \
    'jsonpath={.spec.replicas} {.status.readyReplicas} {.status.updatedReplicas} {.metadata.generation} {.status.observedGeneration}')
  read -r wanted ready updated generation observed <<<"$state"
  [ "${wanted:-0}" -gt 0 ] && [ "$wanted" = "${ready:-}" ] && [ "$wanted" = "${updated:-}" ] &&
    [ "$generation" = "${observed:-}" ]
}

restarts() {
  "${KUBECTL[@]}" get pods --selector "app=$DEPLOYMENT" --output \
    'jsonpath={range .items[*].status.containerStatuses[*]}{.restartCount}{"\n"}{end}' | awk '{ sum += $1 } END { print sum + 0 }'
}

$DRY_RUN || { command -v kubectl >/dev/null || { echo "rollback: kubectl is not installed" >&2; exit 2; }; }
echo "# Rollback of $DEPLOYMENT, $(date -u +%F)"
$DRY_RUN || echo "# Rollback of $DEPLOYMENT, $(date -u +%F)" >"$LOG"

phase "1. Immediate actions (0-5 minutes)"
step "the deployment is looked at" "${KUBECTL[@]}" get "deployment/$DEPLOYMENT" --output wide ||
  give_up "there is no deployment/$DEPLOYMENT to be seen"
# A rollout that goes on would roll forward while we roll back.
step "new rollouts are stopped" "${KUBECTL[@]}" rollout pause "deployment/$DEPLOYMENT" ||
  note "it was paused already"
$DRY_RUN || PAUSED=true
if [ -n "$ALERTMANAGER" ]; then
  step "the on-call engineer is told" tell_on_call || note "Alertmanager could not be told: call the on-call engineer"
else
  note "no --alertmanager: call the on-call engineer now"
fi
look "what the pods say" "${KUBECTL[@]}" get pods --selector "app=$DEPLOYMENT" --output wide
look "what happened lately" "${KUBECTL[@]}" get events --field-selector type=Warning --sort-by .lastTimestamp
look "what they log" "${KUBECTL[@]}" logs --selector "app=$DEPLOYMENT" --tail 20 --prefix

phase "2. Rollback decision (5-10 minutes)"
look "the revisions there are" "${KUBECTL[@]}" rollout history "deployment/$DEPLOYMENT"
# A database knows the program of the release before, and no older one.
note "the ConfigMap stays as it is: a program ends with 64 on an option that it does not know"
note "one release back is safe: the schema is compatible with it; further back needs the backup of that time"
REASON=$(ask_for "Why is it rolled back" "$REASON")
COMMANDER=$(ask_for "Who approves it (incident commander)" "$COMMANDER")
ask "Roll $DEPLOYMENT back to revision ${REVISION/#0/before}?" || give_up "not approved"
note "approved by $COMMANDER: $REASON"

phase "3. Execute rollback (10-15 minutes)"
step "the deployment may be changed again" "${KUBECTL[@]}" rollout resume "deployment/$DEPLOYMENT"
PAUSED=false
step "it goes back" "${KUBECTL[@]}" rollout undo "deployment/$DEPLOYMENT" --to-revision "$REVISION"
if ! step "every replica is replaced" "${KUBECTL[@]}" rollout status "deployment/$DEPLOYMENT" --timeout 10m; then
  note "NOT rolled back: replicas do not become ready; see docs/runbooks"
  exit 1
fi
if $DRY_RUN; then
  note "would: it is watched for $WATCH s"
else
  before=$(restarts)
  until [ "$WATCH" -le 0 ]; do
    is_stable || { note "NOT stable: not every replica is ready"; exit 1; }
    sleep $((WATCH < 5 ? WATCH : 5))
    WATCH=$((WATCH - 5))
  done
  after=$(restarts)
  [ "$after" -le "$before" ] || { note "NOT stable: containers restarted ($before before, $after now)"; exit 1; }
  note "stable"
fi

phase "4. Post-rollback (15-30 minutes)"
step "the service answers" "${KUBECTL[@]}" get --raw \
  "/api/v1/namespaces/$(namespace)/services/$DEPLOYMENT:8079/proxy/health/ready" ||
  note "the service could not be asked through the API server: curl -f http://…:8079/health/ready"
note "to do: document the incident (this timeline: $LOG)"
note "to do: schedule the post-mortem within two working days"
note "to do: keep the bad revision from being deployed again"
