/** Where events live, how long, how much it is, what expires next; and what was deleted before that. */
import "../style/pages.css";
import "../account/account.css";
import "./data.css";
import { Parts, usePart } from "../ui/parts.tsx";
import { Buckets } from "./buckets.tsx";
import { Deletions } from "./deletions.tsx";
import { KeptPart } from "./kept.tsx";
import { Rehydrations } from "./rehydrations.tsx";
import { Rules } from "./rules.tsx";
import { Servers } from "./servers.tsx";
import { Takeouts } from "./takeouts.tsx";

const parts = [
  ["kept", "What is kept"],
  ["rules", "Rules and holds"],
  ["buckets", "Your own buckets"],
  ["servers", "Your own ClickHouse"],
  ["deletions", "Deletions"],
  ["takeouts", "Take out"],
] as const;

const BucketsPart = () => (
  <>
    <Buckets />
    <Rehydrations />
  </>
);

const rooms = {
  ...{ kept: KeptPart, rules: Rules, buckets: BucketsPart, servers: Servers },
  ...{ deletions: Deletions, takeouts: Takeouts },
} as const;

export const DataPage = () => {
  const at = usePart(parts) ?? "kept";
  const Room = rooms[at];
  return (
    <div className="page">
      <Parts label="Parts of data" at={at} parts={parts} />
      <Room />
    </div>
  );
};
