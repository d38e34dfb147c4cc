// Says what is being done, for how long already, and how long it took.

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/** Runs `work` as a named step. `work` may call the function it is given to say where it is. */
export const step = async (name, work) => {
  const begun = Date.now();
  let at = "";
  console.log(`  … ${name}`);
  const tick = setInterval(() => console.log(`  … ${name}: ${seconds(begun)}${at === "" ? "" : ` (${at})`}`), 15_000);
  try {
    const result = await work((where) => {
      at = where;
    });
    console.log(`  ✓ ${name} (${seconds(begun)})`);
    return result;
  } catch (error) {
    console.log(`  ✗ ${name} (${seconds(begun)})`);
    throw error;
  } finally {
    clearInterval(tick);
  }
};
