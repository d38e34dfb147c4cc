/**
 * The page that an invitation's link leads to. It is for the person of that address: who is not signed in does that
 * first, perhaps by a link that opens another tab, so the invitation is kept in this browser until it is taken.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { asProblem, post } from "../api/client.ts";
import { setOrganization } from "../api/organization.ts";
import { Button } from "../ui/controls.tsx";
import { Waiting } from "../ui/states.tsx";
import { Frame, Wrong } from "./frame.tsx";
import { dropInvitation, keepInvitation, keptInvitation } from "./kept-invitation.ts";
import { meKey, signOut } from "./session.ts";
import { useWork } from "./use-work.ts";
import "./account.css";

interface Shown {
  readonly organization: { readonly id: string; readonly name: string };
  readonly role: string;
}

/** Takes the token out of the address, keeps it, and goes where everybody enters. */
export const InvitationLink = () => {
  const [, go] = useLocation();
  useEffect(() => {
    if (location.hash.length > 1) keepInvitation(location.hash.slice(1));
    go("/", { replace: true });
  }, [go]);
  return <Waiting />;
};

export const Invitation = ({ onDone }: { onDone: () => void }) => {
  const [token] = useState(() => keptInvitation() ?? "");
  const client = useQueryClient();
  const { busy, wrong, run } = useWork();
  const shown = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => post<Shown>("/invitations/show", { token }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const leave = (): void => {
    dropInvitation();
    onDone();
  };
  if (shown.isError)
    return (
      <Frame title="This invitation cannot be taken" about={asProblem(shown.error).message}>
        <Button look="primary" onClick={() => void signOut()}>
          Sign in with another address
        </Button>
        <Button look="quiet" onClick={leave}>
          Go on without it
        </Button>
      </Frame>
    );
  if (shown.data === undefined) return <Waiting />;
  const { organization, role } = shown.data;
  const accept = () =>
    run(async () => {
      await post("/invitations/accept", { token });
      setOrganization(organization.id);
      await client.invalidateQueries({ queryKey: meKey });
      leave();
    });
  return (
    <Frame title={`Join ${organization.name}`} about={`You are invited as ${role}.`}>
      <Button look="primary" busy={busy !== undefined} onClick={() => void accept()}>
        Join
      </Button>
      <Button look="quiet" onClick={leave}>
        Not now
      </Button>
      <Wrong>{wrong}</Wrong>
    </Frame>
  );
};
