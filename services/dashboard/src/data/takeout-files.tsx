/** The files of a takeout: few by hand, all by the command, which goes on where it was cut and checks each. */
import { Download } from "lucide-react";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { open as fetchOpen } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { download } from "../ui/download.ts";
import { Modal } from "../ui/overlays.tsx";
import { List, Read } from "../ui/parts.tsx";
import { Snippet } from "../ui/snippet.tsx";
import { formatBytes, number } from "../ui/time.ts";
import { type Takeout, type TakeoutFile, useManifest } from "./takeouts-data.ts";

/** A page of thousands would help nobody. */
const shownFiles = 60;

export const TakeoutFiles = ({ of: one, onClose }: { of: Takeout; onClose: () => void }) => {
  const manifest = useManifest(one.id);
  const mayRead = useMay()("events.read");
  const acts = useActs();
  const save = (name: string, kind: TakeoutFile["kind"]) =>
    void acts.run(async () => {
      const path = `/takeouts/${one.id}/${kind === "events" ? "events" : "files"}?${new URLSearchParams({ name })}`;
      const stream = await fetchOpen(path, new AbortController().signal);
      download(await new Response(stream).blob(), name.replaceAll("/", "-"));
    });
  return (
    <Modal
      open
      wide
      onClose={onClose}
      title={`Files of ${one.id}`}
      about={`What was stored at ${one.cut?.slice(0, 19).replace("T", " ") ?? ""} UTC. All of them, checked:`}
    >
      <div className="stack">
        <Snippet text={`astralog takeout download ${one.id} --to takeout && astralog takeout verify takeout`} />
        <Read from={manifest} what="the manifest">
          {({ files }) => (
            <>
              <div className="row wrap">
                <Button
                  look="primary"
                  icon={<Download size={14} />}
                  disabled={acts.busy}
                  onClick={() => save("manifest.json", "configuration")}
                >
                  Manifest
                </Button>
              </div>
              <List heads={["File", "#Entries", "-#Size", ""]}>
                {files.slice(0, shownFiles).map((file) => (
                  <tr key={file.name}>
                    <td className="mono small break">{file.name}</td>
                    <td className="number figures">{number.format(file.rows)}</td>
                    <td className="wide-only number figures">{formatBytes(file.bytes)}</td>
                    <td className="acts">
                      {file.kind === "events" && !mayRead ? null : (
                        <Button
                          small
                          icon={<Download size={14} />}
                          aria-label={`Fetch ${file.name}`}
                          disabled={acts.busy}
                          onClick={() => save(file.name, file.kind)}
                        />
                      )}
                    </td>
                  </tr>
                ))}
              </List>
              {files.length > shownFiles ? (
                <p className="faint small">
                  {number.format(files.length - shownFiles)} more are in the manifest; the command fetches all.
                </p>
              ) : null}
            </>
          )}
        </Read>
        <Wrong>{acts.wrong}</Wrong>
        {acts.dialog}
      </div>
    </Modal>
  );
};
