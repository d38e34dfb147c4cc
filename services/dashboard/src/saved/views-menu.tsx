/** Saved views of one page: to open, and to save what is looked at. */
import { Bookmark, BookmarkPlus, List } from "lucide-react";
import { useState } from "react";
import { useLocation, useSearch } from "wouter";
import { useCommands } from "../shell/commands.tsx";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Menu, MenuItem, MenuLabel, MenuLine, Modal } from "../ui/overlays.tsx";
import { Wrong } from "../ui/states.tsx";
import { hrefOf, stateOf, useNewView, useViews, type ViewPage } from "./data.ts";

export const ViewsMenu = ({ page, section }: { page: ViewPage; section: string }) => {
  const [, go] = useLocation();
  const search = useSearch();
  const [saving, setSaving] = useState(false);
  const views = useViews();
  const own = (views.data ?? []).filter(({ content }) => content.page === page);
  useCommands([
    { id: "save-view", title: "Save this view", section, keys: "s", run: () => setSaving(true) },
    ...(views.data ?? []).map((view) => ({
      id: `view-${view.id}`,
      title: view.name,
      section: "Saved views",
      run: () => go(hrefOf(view)),
    })),
  ]);
  return (
    <>
      <Menu
        trigger={
          <button type="button" className="icon-button" aria-label="Saved views">
            <Bookmark size={15} />
          </button>
        }
      >
        <MenuItem icon={<BookmarkPlus size={15} />} keys="S" onSelect={() => setSaving(true)}>
          Save this view
        </MenuItem>
        {own.length === 0 ? null : (
          <>
            <MenuLine />
            <MenuLabel>Saved views</MenuLabel>
            {own.slice(0, 15).map((view) => (
              <MenuItem key={view.id} onSelect={() => go(hrefOf(view))}>
                {view.name}
              </MenuItem>
            ))}
          </>
        )}
        <MenuLine />
        <MenuItem icon={<List size={15} />} onSelect={() => go("/views")}>
          All saved views
        </MenuItem>
      </Menu>
      {saving ? <SaveDialog page={page} search={search} onClose={() => setSaving(false)} /> : null}
    </>
  );
};

const SaveDialog = ({ page, search, onClose }: { page: ViewPage; search: string; onClose: () => void }) => {
  const state = stateOf(search);
  const [name, setName] = useState(state.q?.slice(0, 60) ?? "");
  const [shared, setShared] = useState(false);
  const making = useNewView();
  return (
    <Modal open onClose={onClose} title="Save this view">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "")
            making.mutate({ name: name.trim(), shared, content: { page, state } }, { onSuccess: onClose });
        }}
      >
        <Field label="Name" hint="Query, time, columns and zone are kept">
          {(ids) => (
            <Input {...ids} autoFocus maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <label className="choice">
          <input type="checkbox" checked={shared} onChange={(event) => setShared(event.target.checked)} />
          <span>
            Everybody in the organization<span className="soft"> may open and rename it</span>
          </span>
        </label>
        <Wrong error={making.error} />
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={making.isPending} disabled={name.trim() === ""}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
};
