/** The door that a query key opens, and behind it the pages in their frame. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Tooltip } from "radix-ui";
import { lazy, Suspense, useState } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { readKey, setKey } from "./api/key.ts";
import { Explore } from "./explore/explore.tsx";
import { Commands } from "./shell/commands.tsx";
import { Mark, Shell } from "./shell/shell.tsx";
import { Button, Field, Input } from "./ui/controls.tsx";
import { Boundary, Empty } from "./ui/states.tsx";

const client = new QueryClient();
const QueryReference = lazy(async () => ({ default: (await import("./help/query-reference.tsx")).QueryReference }));

export const App = () => {
  const [open, setOpen] = useState(readKey() !== null);
  return (
    <QueryClientProvider client={client}>
      <Tooltip.Provider delayDuration={350}>
        <Commands>{open ? <Pages /> : <Door onOpen={() => setOpen(true)} />}</Commands>
      </Tooltip.Provider>
    </QueryClientProvider>
  );
};

const Door = ({ onOpen }: { onOpen: () => void }) => {
  const [key, setText] = useState("");
  const wrong = key !== "" && !key.trim().startsWith("al_qry_") ? "A query key begins with al_qry_." : undefined;
  return (
    <main className="door">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim() === "" || wrong !== undefined) return;
          setKey(key.trim());
          onOpen();
        }}
      >
        <Mark size={28} />
        <h1>A query key opens Astralog</h1>
        <p className="soft">
          It was printed at the first start, and is made by <code>astralog keys create</code>. This tab keeps it until
          it is closed.
        </p>
        <Field label="Query key" error={wrong}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              placeholder="al_qry_…"
              value={key}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="primary">
          Open
        </Button>
      </form>
    </main>
  );
};

const Pages = () => {
  const [location] = useLocation();
  return (
    <Shell>
      <Boundary at={location}>
        <Switch>
          <Route path="/">
            <Redirect to={`/explore${window.location.search}`} replace />
          </Route>
          <Route path="/explore" component={Explore} />
          <Route path="/help/query">
            <Suspense fallback={null}>
              <QueryReference />
            </Suspense>
          </Route>
          <Route>
            <Empty title="There is no such page" />
          </Route>
        </Switch>
      </Boundary>
    </Shell>
  );
};
