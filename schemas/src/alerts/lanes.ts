/** Lanes put together. A sum of doubles depends on its order, so they are always added in the order of their names. */
import { addMeasure, emptyMeasure, type Measure } from "./measure.ts";

export const mergeLanes = (lanes: Readonly<Record<string, Measure>>): Measure => {
  const sum = emptyMeasure();
  for (const lane of Object.keys(lanes).sort()) addMeasure(sum, lanes[lane] ?? emptyMeasure());
  return sum;
};
