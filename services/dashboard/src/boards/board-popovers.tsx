/** Small questions beside a dashboard: who may see it, and what it can be narrowed by. */
import { Plus, Share2 } from "lucide-react";
import { useState } from "react";
import { Button, CopyButton, Input } from "../ui/controls.tsx";
import { Popover } from "../ui/overlays.tsx";
import type { Board } from "./data.ts";

export const Share = ({ board, onShare }: { board: Board; onShare: (shared: boolean) => void }) => {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      open={open}
      onOpen={setOpen}
      label="Share"
      className="share"
      trigger={
        <Button small icon={<Share2 size={14} />}>
          {board.shared ? "Shared" : "Share"}
        </Button>
      }
    >
      <label className="choice">
        <input
          type="checkbox"
          checked={board.shared}
          disabled={board.shared && !board.mine}
          onChange={(event) => onShare(event.target.checked)}
        />
        <span>
          Everybody in the organization
          <span className="soft">
            {" "}
            may open and change it. Its link opens for members who are signed in, and nobody else.
          </span>
        </span>
      </label>
      <CopyButton text={location.href} label="Copy the link with this time" />
    </Popover>
  );
};

export const AddVariable = ({ onAdd }: { onAdd: (field: string) => void }) => {
  const [open, setOpen] = useState(false);
  const [field, setField] = useState("");
  return (
    <Popover
      open={open}
      onOpen={setOpen}
      label="Variable"
      className="share"
      trigger={
        <Button small icon={<Plus size={14} />}>
          Variable
        </Button>
      }
    >
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (field.trim() === "") return;
          onAdd(field.trim());
          setField("");
          setOpen(false);
        }}
      >
        <Input
          aria-label="Field"
          placeholder="service"
          className="mono"
          value={field}
          onChange={(e) => setField(e.target.value)}
        />
        <Button type="submit">Add</Button>
      </form>
    </Popover>
  );
};
