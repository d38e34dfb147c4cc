#!/bin/sh
# The image's one argument chooses what runs.
set -eu
cd /app
what=${1:-}
[ "$#" -gt 0 ] && shift
node="node --disable-warning=TimeoutNegativeWarning"
case $what in
  # These move buffers through small heaps; deploy/local/service.ts says what the flags save.
  receiver | redactor) exec $node --no-concurrent-marking --no-incremental-marking "services/$what/main.ts" "$@" ;;
  sink | archive | alerter | retention | backup | api) exec $node "services/$what/main.ts" "$@" ;;
  bootstrap) exec $node services/api/bootstrap.ts "$@" ;;
  backups) exec $node services/backup/backups.ts "$@" ;;
  restore) exec $node services/backup/restore.ts "$@" ;;
  rotate-keys) exec $node services/api/rotate-keys.ts "$@" ;;
  # ClickHouse's users first: the migrations' views name one of them.
  provision) $node deploy/docker/clickhouse-users.ts && exec $node services/api/provision.ts "$@" ;;
  prepare) exec $node deploy/docker/prepare.ts "$@" ;;
  cli) exec node services/cli/bin/astralog.mjs "$@" ;;
  *)
    echo "astralog: say what to run: receiver, redactor, sink, archive, alerter, retention, backup, api, provision, bootstrap, backups, restore, rotate-keys, prepare or cli (not \"$what\")" >&2
    exit 2
    ;;
esac
