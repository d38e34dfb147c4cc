/**
 * Some browsers name a language that Intl does not know ("en-US@posix", where the system's is C). Libraries hand it on to Intl
 * as it is, and uPlot would end with that the page that has a chart.
 */
const isKnown = (language: string): boolean => {
  try {
    return Intl.getCanonicalLocales(language).length > 0;
  } catch {
    return false;
  }
};

if (!isKnown(navigator.language))
  Object.defineProperty(navigator, "language", { value: new Intl.NumberFormat().resolvedOptions().locale });
