/** Whether the plan has storage of one's own, said before somebody fills in a form in vain. */
import { Link } from "wouter";
import { useMay } from "../account/acts.tsx";
import { usePlan } from "../usage/plan.tsx";

/** The plan's name where it does not have it; whoever may not read the plan is told by the api. */
export const usePlanWithoutStorage = (): string | undefined => {
  const plan = usePlan(useMay()("usage.read")).data;
  return plan === undefined || plan.limits.features.includes("own_storage") ? undefined : plan.plan;
};

export const NotInPlan = ({ plan, what }: { plan: string; what: string }) => (
  <div className="small">
    <p>
      <span className="warn">Not in your plan.</span>{" "}
      <span className="soft">
        The {plan} plan does not have storage of one's own, so no {what} can be connected. What is written to already
        goes on. Whoever runs this installation can change the plan.
      </span>
    </p>
    <Link href="/usage">See what the plan allows</Link>
  </div>
);
