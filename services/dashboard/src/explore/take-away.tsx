/** What is found, taken elsewhere: as a file, or as a command that finds it again. */
import { Check, Download } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { asProblem, get, open, Problem, queryOf } from "../api/client.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button, CopyButton, useCopied } from "../ui/controls.tsx";
import { download } from "../ui/download.ts";
import { Menu, MenuItem, MenuLabel, MenuLine, Modal } from "../ui/overlays.tsx";
import { formatBytes } from "../ui/time.ts";
import { asCli, asCurl } from "./commands-of.ts";
import type { Range } from "./time-range.ts";

const formats = [
  ["ndjson", "JSON, one event a line"],
  ["csv", "CSV, for spreadsheets"],
  ["parquet", "Parquet"],
] as const;
type Format = (typeof formats)[number][0];

export const TakeAway = ({ q, range, place }: { q: string; range: Range; place: string }) => {
  const [copied, copy] = useCopied();
  const [refused, setRefused] = useState<Problem>();
  const [file, setFile] = useState<Format>();
  const curl = (): void => copy(asCurl(location.origin, q, range, { place }));
  const [, go] = useLocation();
  const alert = (): void => go(`/alerts/new-rule?${new URLSearchParams({ q })}`);
  const cli = (): void => copy(asCli(q, range, place));
  const sql = async (): Promise<void> => {
    const found = await get<{ sql: string }>(`/search/explain${queryOf({ q, from: range.from, to: range.to })}`);
    copy(found.sql);
  };
  const copySql = (): void => void sql().catch((error: unknown) => setRefused(asProblem(error)));
  useCommands([
    { id: "curl", title: "Copy as curl", section: "Explore", run: curl },
    { id: "cli", title: "Copy as astralog command", section: "Explore", also: "cli terminal", run: cli },
    { id: "sql", title: "Copy as SQL", section: "Explore", also: "clickhouse", run: copySql },
    { id: "alert", title: "Create an alert from this search", section: "Explore", also: "rule notify", run: alert },
    // What lies in a bucket is its owner's as files already.
    ...(place === "" ? formats : []).map(([format, words]) => ({
      id: `export-${format}`,
      title: `Export as ${words}`,
      section: "Explore",
      also: "download save file",
      run: () => setFile(format),
    })),
  ]);
  return (
    <>
      <Menu
        trigger={
          <button type="button" className="icon-button" aria-label={copied ? "Copied" : "Export and copy"}>
            {copied ? <Check size={15} /> : <Download size={15} />}
          </button>
        }
      >
        {place === "" ? (
          <>
            <MenuLabel>Export everything found</MenuLabel>
            {formats.map(([format, words]) => (
              <MenuItem key={format} onSelect={() => setFile(format)}>
                {words}
              </MenuItem>
            ))}
            <MenuLine />
          </>
        ) : null}
        <MenuLabel>Copy as</MenuLabel>
        <MenuItem onSelect={curl}>curl</MenuItem>
        <MenuItem onSelect={cli}>astralog command</MenuItem>
        <MenuItem onSelect={copySql}>SQL for ClickHouse</MenuItem>
        <MenuLine />
        <MenuItem onSelect={alert}>Create an alert from this search</MenuItem>
      </Menu>
      {refused === undefined ? null : (
        <Modal open onClose={() => setRefused(undefined)} title="There is no SQL for it">
          <p className="soft">{refused.message}</p>
        </Modal>
      )}
      {file === undefined ? null : <Export format={file} q={q} range={range} onClose={() => setFile(undefined)} />}
    </>
  );
};

/** Past this a browser's memory is the wrong place. */
const largest = 500_000_000;

interface SavePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

const Export = ({ format, q, range, onClose }: { format: Format; q: string; range: Range; onClose: () => void }) => {
  const [stop] = useState(() => new AbortController());
  const [bytes, setBytes] = useState<number>();
  const [said, setSaid] = useState("");
  const name = `events.${format}`;

  const run = async (): Promise<void> => {
    // Where the browser lets a page write a file, nothing has to fit into memory.
    const file = await (window as SavePicker).showSaveFilePicker?.({ suggestedName: name });
    setBytes(0);
    const body = await open(`/export${queryOf({ q, from: range.from, to: range.to, format })}`, stop.signal);
    let size = 0;
    const counted = body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (piece, out) => {
          size += piece.length;
          setBytes(size);
          if (file === undefined && size > largest) throw new RangeError("too large");
          out.enqueue(piece);
        },
      }),
    );
    if (file !== undefined) await counted.pipeTo(await file.createWritable());
    else download(await new Response(counted).blob(), name);
    setSaid(`Done: ${formatBytes(size)}, whole.`);
  };
  const begin = (): void => {
    run().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "AbortError") return;
      setSaid(
        error instanceof RangeError
          ? `This browser cannot save more than ${formatBytes(largest)} from a page. Use the command.`
          : bytes === undefined || error instanceof Problem
            ? asProblem(error).message
            : "It was cut before its end, and nothing was saved. Try again, or use the command.",
      );
    });
  };
  const close = (): void => {
    stop.abort();
    onClose();
  };
  return (
    <Modal
      open
      onClose={close}
      title={`Export as ${name}`}
      about="Everything that the query finds in this time, not only what is on the screen. It is written to the audit trail."
    >
      <div className="stack">
        <p className="figures" role="status">
          {said || (bytes === undefined ? "Not begun yet." : `${formatBytes(bytes)} so far`)}
        </p>
        <div className="row wrap">
          <CopyButton text={asCurl(location.origin, q, range, { format })} label="Copy as command" small={false} />
          <span className="grow" />
          <Button onClick={close}>{said === "" ? "Cancel" : "Close"}</Button>
          {said === "" ? (
            <Button look="primary" busy={bytes !== undefined} onClick={begin}>
              Export
            </Button>
          ) : null}
        </div>
      </div>
    </Modal>
  );
};
