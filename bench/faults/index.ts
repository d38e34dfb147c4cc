import type { Fault } from "../fault.ts";
import { bucketDown } from "./bucket-down.ts";
import { clickhouseDown } from "./clickhouse-down.ts";
import { cutAnswers } from "./cut-answers.ts";
import { killAlerter } from "./kill-alerter.ts";
import { killBroker } from "./kill-broker.ts";
import { killService } from "./kill-service.ts";
import { noisyNeighbour } from "./noisy-neighbour.ts";
import { poison } from "./poison.ts";
import { rebalance } from "./rebalance.ts";
import { receiversFail } from "./receivers-fail.ts";
import { redactorStopped } from "./redactor-stopped.ts";
import { restore } from "./restore.ts";
import { retentionTimes } from "./retention-times.ts";
import { sameKey } from "./same-key.ts";
import { terminateService } from "./terminate-service.ts";

export const faults: readonly Fault[] = [
  ...killService,
  killAlerter,
  killBroker,
  clickhouseDown,
  bucketDown(),
  cutAnswers(),
  redactorStopped,
  poison(),
  rebalance,
  terminateService,
  sameKey,
  noisyNeighbour,
  ...retentionTimes,
  receiversFail,
  restore,
];
