/** Who of the outside may look in, and whether those inside still use what they hold. */
import "../style/pages.css";
import "../account/account.css";
import { Parts, usePart } from "../ui/parts.tsx";
import { Grants } from "./grants.tsx";
import { Review } from "./review.tsx";

const parts = [
  ["staff", "Platform staff"],
  ["review", "Access review"],
] as const;

export const AccessPage = () => {
  const at = usePart(parts) ?? "staff";
  return (
    <div className="page">
      <Parts label="Parts of access" at={at} parts={parts} />
      {at === "staff" ? <Grants /> : <Review />}
    </div>
  );
};
