/** All of the trail as a file, its signed end, and how both are checked without this server. */
import { Download } from "lucide-react";
import { useState } from "react";
import { useActs } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { open, queryOf } from "../api/client.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button, CopyButton } from "../ui/controls.tsx";
import { download } from "../ui/download.ts";
import { Read, Section } from "../ui/parts.tsx";
import { Snippet } from "../ui/snippet.tsx";
import { formatAgo, formatBytes } from "../ui/time.ts";
import { useHead } from "./data.ts";

const formats = [
  ["json", "JSON lines, with the signed head", "jsonl"],
  ["csv", "CSV, for spreadsheets", "csv"],
] as const;

export const Proof = () => (
  <>
    <Export />
    <Head />
    <Section
      title="Check it offline"
      about="Each event carries the hash of the one before, and the last one's is signed and kept in Kafka, outside the database that holds the trail. A change, a gap, or a cut shows; on any machine, without this server."
    >
      <Snippet text={"astralog audit export --output audit.jsonl\nastralog audit verify audit.jsonl"} />
      <p className="soft small about">
        Somebody who held the signing key could write a trail anew. A head that you keep elsewhere shows that, too:
      </p>
      <Snippet text={"astralog audit head > head.json\nastralog audit verify audit.jsonl --head head.json"} />
    </Section>
  </>
);

const Export = () => {
  const acts = useActs("audit", "audit-head");
  const [said, setSaid] = useState("");
  const save = (format: string, ending: string) =>
    void acts.run(async () => {
      setSaid("Reading it");
      try {
        const blob = await new Response(
          await open(`/audit/export${queryOf({ format })}`, new AbortController().signal),
        ).blob();
        download(blob, `audit.${ending}`);
        setSaid(`Saved ${formatBytes(blob.size)}.`);
      } catch (error) {
        setSaid("");
        throw error;
      }
    });
  useCommands(
    formats.map(([format, words, ending]) => ({
      id: `audit-${format}`,
      title: `Export the trail as ${words}`,
      section: "Audit",
      also: "download save",
      run: () => save(format, ending),
    })),
  );
  return (
    <Section title="Export" about="The whole trail, oldest first. That it was taken, and by whom, is its last event.">
      <div className="row wrap">
        {formats.map(([format, words, ending]) => (
          <Button key={format} icon={<Download size={14} />} disabled={acts.busy} onClick={() => save(format, ending)}>
            {words}
          </Button>
        ))}
        <span role="status" className="soft small figures">
          {said}
        </span>
      </div>
      <Wrong>{acts.wrong}</Wrong>
      {acts.dialog}
    </Section>
  );
};

const Head = () => {
  const head = useHead();
  return (
    <Section title="Signed head" about="Where the trail ends, as it stands in Kafka. Keep one elsewhere now and then.">
      <Read from={head} what="the signed head">
        {({ head: { seq, hash, at, key_id, signature }, public_key }) => (
          <>
            <dl className="facts">
              <dt>Event</dt>
              <dd className="figures">
                {seq} <span className="faint">{formatAgo(at)}</span>
              </dd>
              <dt>Hash</dt>
              <dd className="mono small">{hash}</dd>
              <dt>Signature</dt>
              <dd className="mono small">{signature}</dd>
              <dt>Public key</dt>
              <dd className="mono small">
                {public_key} <span className="faint">{key_id}</span>
              </dd>
            </dl>
            <div className="row">
              <CopyButton label="Copy the head" text={JSON.stringify(head.data)} />
            </div>
          </>
        )}
      </Read>
    </Section>
  );
};
