/** Buckets of one's own: what is written there and how far it is, whether they let us, and how one is connected. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { ActDialog, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { patch, post, remove } from "../api/client.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo, formatBytes, number } from "../ui/time.ts";
import {
  type Archive,
  type Connection,
  type KeyedConnection,
  kindWords,
  useArchives,
  useConnections,
} from "./buckets-data.ts";
import { ClientKeyShown, RenewClientKey } from "./client-key.tsx";
import { NewBucket } from "./new-bucket.tsx";
import { NotInPlan, usePlanWithoutStorage } from "./storage-plan.tsx";

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "days" | "keys" | "renew" | "end"; readonly of: Connection }
  | { readonly kind: "shown"; readonly of: KeyedConnection };

const stale = ["connections", "archives", "places"] as const;

export const Buckets = () => {
  const connections = useConnections();
  const archives = useArchives();
  const without = usePlanWithoutStorage();
  const may = useMay()("storage.write");
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const made = (of: KeyedConnection): void => setOpen(of.client_key === undefined ? undefined : { kind: "shown", of });
  const of = (id: string): Archive | undefined => archives.data?.archives.find(({ connection }) => connection === id);
  return (
    <Section
      title="Your own buckets"
      about="Events are written there as Parquet, each exactly once, beside what Astralog keeps. They can be searched in place, unless they are encrypted before they leave, and deletions go through them, too."
      act={
        may && without === undefined ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={() => setOpen({ kind: "new" })}>
            Connect a bucket
          </Button>
        ) : null
      }
    >
      {without === undefined ? null : <NotInPlan plan={without} what="bucket" />}
      <Read from={connections} what="the buckets">
        {({ connections: all }) =>
          all.length === 0 ? (
            <p className="soft small">
              No bucket is connected. Amazon S3, Cloudflare R2, Google Cloud Storage and servers that speak their
              language will do.
            </p>
          ) : (
            <List heads={["Bucket", "State", "#Events", "-#Size", "-Last object", "-Lives for", ""]}>
              {all.map((one) => (
                <Row key={one.id} of={one} archive={of(one.id)} may={may} onOpen={setOpen} />
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? <NewBucket onMade={made} onClose={close} /> : null}
      {open?.kind === "days" ? <Days of={open.of} onClose={close} /> : null}
      {open?.kind === "keys" ? <Keys of={open.of} onClose={close} /> : null}
      {open?.kind === "renew" ? <RenewClientKey of={open.of} onMade={made} onClose={close} /> : null}
      {open?.kind === "shown" ? <ClientKeyShown of={open.of} onClose={close} /> : null}
      {open?.kind === "end" ? <Disconnect of={open.of} onClose={close} /> : null}
    </Section>
  );
};

/** What is wrong with it, or how far it is. */
const State = ({ of: { problem, probed_at }, archive }: { of: Connection; archive: Archive | undefined }) => {
  if (archive?.problem != null)
    return (
      <>
        <span className="warn">waits since {formatAgo(archive.problem.since)}</span>
        <div className="faint small break">
          {archive.problem.detail} It is tried again; nothing is lost for four days.
        </div>
      </>
    );
  if (problem !== "")
    return (
      <>
        <span className="warn">lacks a right</span>
        <div className="faint small break">
          {problem} Looked {formatAgo(probed_at)}.
        </div>
      </>
    );
  if (archive?.state === "off") return <span className="soft">paused</span>;
  if (archive === undefined || archive.state === "starting") return <span className="soft">starting</span>;
  return (
    <>
      <span className="good">writing</span>
      <div className="faint small">
        {archive.lag === 0 ? "all that came is looked through" : `${number.format(archive.lag)} records behind`}
      </div>
    </>
  );
};

interface RowProps {
  readonly of: Connection;
  readonly archive: Archive | undefined;
  readonly may: boolean;
  readonly onOpen: (open: Open) => void;
}

const Row = ({ of: one, archive, may, onOpen }: RowProps) => {
  const acts = useActs(...stale);
  const [, go] = useLocation();
  const path = `/storage/connections/${one.id}`;
  return (
    <tr>
      <td>
        <strong>{one.name}</strong>
        <div className="faint small break">
          {kindWords[one.kind]}, {one.bucket}/{one.prefix}
        </div>
        <div className="faint small mono">{one.id}</div>
        {one.client_encryption ? (
          <div className="faint small">
            encrypted before it leaves, key <span className="mono">{one.client_keys[0]?.id}</span>
          </div>
        ) : null}
      </td>
      <td>
        <State of={one} archive={archive} />
        {acts.wrong === undefined ? null : <div className="field-note is-wrong">{acts.wrong}</div>}
        {acts.dialog}
      </td>
      <td className="number figures">{number.format(archive?.events ?? 0)}</td>
      <td className="wide-only number figures">
        {formatBytes(archive?.bytes ?? 0)}
        <div className="faint small">
          {number.format(archive?.objects ?? 0)} {archive?.objects === 1 ? "object" : "objects"}
        </div>
      </td>
      <td className="wide-only soft">{archive?.last_object_at ? formatAgo(archive.last_object_at) : "–"}</td>
      <td className="wide-only">{one.retention_days === null ? "as you leave it" : `${one.retention_days} days`}</td>
      <td className="acts">
        {may || !one.client_encryption ? (
          <RowMenu label={`Acts on ${one.name}`}>
            {one.client_encryption ? null : (
              <MenuItem onSelect={() => go(`/explore?${new URLSearchParams({ place: one.id })}`)}>
                Search in it
              </MenuItem>
            )}
            {may ? (
              <>
                <MenuItem onSelect={() => void acts.run(() => post(`${path}/probe`))}>Try what it lets us do</MenuItem>
                <MenuItem onSelect={() => onOpen({ kind: "days", of: one })}>
                  Change how long events live there
                </MenuItem>
                <MenuItem onSelect={() => onOpen({ kind: "keys", of: one })}>Give it another key</MenuItem>
                {one.client_encryption ? (
                  <MenuItem onSelect={() => onOpen({ kind: "renew", of: one })}>Give it another client key</MenuItem>
                ) : null}
                <MenuItem onSelect={() => void acts.run(() => patch(path, { archive: !one.archive }))}>
                  {one.archive ? "Pause writing" : "Go on writing"}
                </MenuItem>
                <MenuLine />
                <MenuItem danger onSelect={() => onOpen({ kind: "end", of: one })}>
                  Disconnect
                </MenuItem>
              </>
            ) : null}
          </RowMenu>
        ) : null}
      </td>
    </tr>
  );
};

const Days = ({ of: one, onClose }: { of: Connection; onClose: () => void }) => {
  const [days, setDays] = useState(String(one.retention_days ?? ""));
  const fine = days === "" || /^[1-9]\d{0,3}$/.test(days);
  return (
    <ActDialog
      title={`How long events live in ${one.name}`}
      about="Fewer days remove what is there already, for good, at the next look. Rules with a query and holds count there, too."
      acts={useActs(...stale)}
      submit="Save"
      disabled={!fine}
      work={() => patch(`/storage/connections/${one.id}`, { retention_days: days === "" ? null : Number(days) })}
      onClose={onClose}
    >
      <Field
        label="Days"
        hint="Counted from the receipt; empty: as long as you leave it there"
        error={fine ? undefined : "1 to 3650 days, or nothing."}
      >
        {(ids) => <Input {...ids} inputMode="numeric" value={days} onChange={(event) => setDays(event.target.value)} />}
      </Field>
    </ActDialog>
  );
};

const Keys = ({ of: one, onClose }: { of: Connection; onClose: () => void }) => {
  const [id, setId] = useState(one.access_key_id);
  const [secret, setSecret] = useState("");
  return (
    <ActDialog
      title={`Another key for ${one.name}`}
      about="It replaces the one that is there once it has proved fit."
      acts={useActs(...stale)}
      submit="Try it and save"
      disabled={id === "" || secret === ""}
      work={() => patch(`/storage/connections/${one.id}`, { access_key_id: id, secret_access_key: secret })}
      onClose={onClose}
    >
      <Field label="Access key id">
        {(ids) => <Input {...ids} className="mono" value={id} onChange={(event) => setId(event.target.value.trim())} />}
      </Field>
      <Field label="Secret access key">
        {(ids) => (
          <Input
            {...ids}
            className="mono"
            type="password"
            value={secret}
            onChange={(event) => setSecret(event.target.value.trim())}
          />
        )}
      </Field>
    </ActDialog>
  );
};

const Disconnect = ({
  of: { id, name, client_encryption: encrypted },
  onClose,
}: {
  of: Connection;
  onClose: () => void;
}) => (
  <ConfirmDialog
    title={`Disconnect ${name}`}
    about={`Nothing in the bucket is deleted, and nothing more is written there. Deletions and retention reach it no more.${encrypted ? " Its client keys are forgotten here: who has not kept them can never read it again." : ""}`}
    word={name}
    acts={useActs(...stale)}
    submit="Disconnect"
    work={() => remove(`/storage/connections/${id}`)}
    onClose={onClose}
  />
);
