/** Who did what; how one proves that nothing of it was changed; and where it goes as it grows. */
import "../style/pages.css";
import "../account/account.css";
import { useMay } from "../account/acts.tsx";
import { Parts, usePart } from "../ui/parts.tsx";
import { Proof } from "./proof.tsx";
import { Streams } from "./streams.tsx";
import { Trail } from "./trail.tsx";

const all = [
  ["trail", "Trail"],
  ["proof", "Export and proof"],
  ["streams", "Streams"],
] as const;

const rooms = { trail: Trail, proof: Proof, streams: Streams } as const;

export const AuditPage = () => {
  const may = useMay();
  const parts = all.filter(([name]) => name !== "streams" || may("audit.stream"));
  const at = usePart(parts) ?? "trail";
  const Room = rooms[at];
  return (
    <div className="page">
      <Parts label="Parts of the audit" at={at} parts={parts} />
      <Room />
    </div>
  );
};
