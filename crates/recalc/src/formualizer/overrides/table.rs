//! Which function is computed by whom: the one place where that is decided.
//!
//! Both libraries were run over workbooks that Excel computed (`docs/formula-conformance.md`). IronCalc reproduces nearly all of
//! them, but scans ranges anew for every cell; the functions of `formualizer-eval` are fast over large ranges, and about as many
//! are right as are wrong. So:
//!
//! * **delegated** is what takes values or few cells: financial, statistical, engineering, text, date and rounding functions;
//! * **delegated when small** is what mostly sees large ranges, and differs from Excel in cases that are rare among them, such as
//!   criteria that are errors; above [`SMALL_CELLS`] cells the fast function computes;
//! * **lifted** is what was right for every cell that was tried, but knows no arrays: the fast function computes single values,
//!   and of arrays each value is delegated;
//! * **ours** (`join`, `operators`, `dates`, `referring`) is what neither does as Excel, or what a whole call need not go away for;
//! * **kept** is everything else: functions of references (`OFFSET`, `INDIRECT`), `IF`, `LET`, and sums.

/// Cells that a call may read to be delegated although there is a faster function.
pub(in crate::formualizer) const SMALL_CELLS: u64 = 64;
/// What a formula calls for `COUNTIFS` of few cells: without the library's index of columns, which does not find the texts of
/// errors.
pub(in crate::formualizer) const FEW_COUNTIFS: &str = "@COUNTIFS";
/// Cells that a call may read to be delegated at all.
pub(super) const MAX_CELLS: u64 = 1 << 16;

/// How a function is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// By IronCalc's.
    Delegated,
    /// By IronCalc's where it reads few cells.
    WhenSmall,
    /// By IronCalc's where an argument that is one value is an array.
    Lifted,
    /// The same, of the first argument alone: the others are evaluated as they are needed.
    LiftedByFirst,
}

/// Delegated.
#[rustfmt::skip]
pub(super) const DELEGATED: &[&str] = &[
    // Rounding and arithmetic.
    "ARABIC", "BASE", "CEILING", "CEILING.MATH", "CEILING.PRECISE", "COMBINA", "COTH", "DECIMAL",
    "FACTDOUBLE", "FLOOR", "FLOOR.MATH", "FLOOR.PRECISE", "GCD", "ISO.CEILING", "LCM", "MDETERM", "MINVERSE",
    "MMULT", "MROUND", "MULTINOMIAL", "MUNIT", "QUOTIENT", "ROMAN", "SERIESSUM", "SUMX2MY2",
    "SUMX2PY2", "SUMXMY2", "EXP", "SIGN", "TRUNC", "INT",
   
    // Text.
    "ARRAYTOTEXT", "ASC", "CHAR", "CLEAN", "CODE", "DOLLAR", "ENCODEURL", "EXACT", "FIXED", "NUMBERVALUE", "PROPER",
    "REGEXEXTRACT", "REGEXREPLACE", "REGEXTEST", "REPLACE", "REPT", "TEXT", "TEXTAFTER", "TEXTBEFORE", "TEXTSPLIT", "UNICHAR",
    "UNICODE", "VALUE", "VALUETOTEXT", "FINDB", "LEFTB", "LENB", "MIDB", "REPLACEB", "RIGHTB", "SEARCHB",
    // Dates.
    "DATE", "DATEDIF", "DATEVALUE", "DAYS", "DAYS360", "EDATE", "EOMONTH", "ISOWEEKNUM", "NETWORKDAYS",
    "NETWORKDAYS.INTL", "TIME", "TIMEVALUE", "WEEKNUM", "WORKDAY", "WORKDAY.INTL", "YEARFRAC",
    // Finance.
    "ACCRINT", "ACCRINTM", "AMORDEGRC", "AMORLINC", "COUPDAYBS", "COUPDAYS", "COUPDAYSNC", "COUPNCD", "COUPNUM",
    "COUPPCD", "CUMIPMT", "CUMPRINC", "DB", "DDB", "DISC", "DOLLARDE", "DOLLARFR", "DURATION", "EFFECT", "FV",
    "FVSCHEDULE", "INTRATE", "IPMT", "IRR", "ISPMT", "MDURATION", "MIRR", "NOMINAL", "NPER", "ODDFPRICE",
    "ODDFYIELD", "ODDLPRICE", "ODDLYIELD", "PDURATION", "PMT", "PPMT", "PRICE", "PRICEDISC", "PRICEMAT", "PV", "RATE",
    "RECEIVED", "RRI", "SLN", "SYD", "TBILLEQ", "TBILLPRICE", "TBILLYIELD", "VDB", "XIRR", "XNPV", "YIELD",
    "YIELDDISC", "YIELDMAT",
    // Engineering.
    "BESSELI", "BESSELJ", "BESSELK", "BESSELY", "BIN2DEC", "BIN2HEX", "BIN2OCT", "BITAND", "BITLSHIFT", "BITOR",
    "BITRSHIFT", "BITXOR", "COMPLEX", "CONVERT", "DEC2BIN", "DEC2HEX", "DEC2OCT", "DELTA", "ERF", "ERF.PRECISE",
    "ERFC", "ERFC.PRECISE", "GESTEP", "HEX2BIN", "HEX2DEC", "HEX2OCT", "IMABS", "IMAGINARY", "IMARGUMENT",
    "IMCONJUGATE", "IMCOS", "IMCOSH", "IMCOT", "IMCSC", "IMCSCH", "IMDIV", "IMEXP", "IMLN", "IMLOG10", "IMLOG2",
    "IMPOWER", "IMPRODUCT", "IMREAL", "IMSEC", "IMSECH", "IMSIN", "IMSINH", "IMSQRT", "IMSUB", "IMSUM", "IMTAN",
    "OCT2BIN", "OCT2DEC", "OCT2HEX",
    // Statistics.
    "BETA.DIST", "BETA.INV", "BETADIST", "BETAINV", "BINOM.DIST", "BINOM.DIST.RANGE", "BINOM.INV",
    "BINOMDIST", "CHIDIST", "CHIINV", "CHISQ.DIST", "CHISQ.DIST.RT", "CHISQ.INV", "CHISQ.INV.RT", "CHISQ.TEST",
    "CHITEST", "CONFIDENCE", "CONFIDENCE.NORM", "CONFIDENCE.T", "CORREL", "COVAR", "COVARIANCE.P", "COVARIANCE.S",
    "CRITBINOM", "EXPON.DIST", "EXPONDIST", "F.DIST", "F.DIST.RT", "F.INV", "F.INV.RT", "F.TEST", "FDIST",
    "FINV", "FISHER", "FISHERINV", "FORECAST", "FORECAST.LINEAR", "FREQUENCY", "FTEST", "GAMMA", "GAMMA.DIST", "GAMMA.INV", "GAMMADIST",
    "GAMMAINV", "GAMMALN", "GAMMALN.PRECISE", "GAUSS", "GEOMEAN", "GROWTH", "HARMEAN", "HYPGEOM.DIST", "HYPGEOMDIST",
    "INTERCEPT", "KURT", "LINEST", "LOGEST", "LOGINV", "LOGNORM.DIST", "LOGNORM.INV", "LOGNORMDIST", "MODE",
    "MODE.MULT", "MODE.SNGL", "NEGBINOM.DIST", "NEGBINOMDIST", "NORM.DIST", "NORM.INV", "NORM.S.DIST", "NORM.S.INV",
    "NORMDIST", "NORMINV", "NORMSDIST", "NORMSINV", "PEARSON", "PERCENTRANK", "PERCENTRANK.EXC", "PERCENTRANK.INC",
    "PERMUT", "PERMUTATIONA", "PHI", "POISSON", "POISSON.DIST", "PROB", "RSQ", "SKEW", "SKEW.P", "SLOPE",
    "STANDARDIZE", "STEYX", "T.DIST", "T.DIST.2T", "T.DIST.RT", "T.INV", "T.INV.2T", "T.TEST", "TDIST", "TINV",
    "TREND", "TRIMMEAN", "TTEST", "WEIBULL", "WEIBULL.DIST", "Z.TEST", "ZTEST",
    // Databases and arrays.
    "DAVERAGE", "DCOUNT", "DCOUNTA", "DGET", "DMAX", "DMIN", "DPRODUCT", "DSTDEV", "DSTDEVP", "DSUM", "DVAR", "DVARP",
    "PERCENTOF", "SEQUENCE", "TRIMRANGE", "ERROR.TYPE",
];

/// Delegated when small.
#[rustfmt::skip]
pub(super) const WHEN_SMALL: &[&str] = &[
    "AGGREGATE", "AND", "AVERAGE", "AVERAGEA", "AVERAGEIF", "AVERAGEIFS", "CHOOSECOLS", "CHOOSEROWS",
    "COUNT", "COUNTIF", "COUNTIFS", "DROP", "EXPAND", "FILTER", "HLOOKUP", "LOOKUP", "MATCH", "MAXA",
    "MAXIFS", "MINA", "MINIFS", "OR", "PRODUCT",
    "SORT", "SORTBY",
    "SUMIF", "SUMIFS", "SUMPRODUCT", "TAKE",
    "TOCOL", "TOROW", "UNIQUE", "VLOOKUP", "WRAPCOLS",
    "WRAPROWS", "XLOOKUP", "XMATCH", "XOR",
];

/// Lifted.
#[rustfmt::skip]
pub(super) const LIFTED: &[&str] = &[
    "ABS", "ACOS", "ACOSH", "ACOT", "ACOTH", "ADDRESS", "ASIN", "ASINH", "ATAN", "ATAN2", "ATANH", "COMBIN", "COS",
    "COSH", "COT", "CSC", "CSCH", "DEGREES", "EVEN", "FACT", "FIND", "ISBLANK", "ISERR", "ISERROR",
    "ISEVEN", "ISLOGICAL", "ISNA", "ISNONTEXT", "ISNUMBER", "ISODD", "ISTEXT", "LARGE", "LEFT", "LEN", "LN", "LOG",
    "LOG10", "LOWER", "MID", "MOD", "NOT", "ODD", "PERCENTILE", "PERCENTILE.EXC",
    "PERCENTILE.INC", "QUARTILE", "QUARTILE.EXC", "QUARTILE.INC", "RADIANS", "RANK", "RANK.AVG", "RANK.EQ",
    "RIGHT", "ROUND", "ROUNDDOWN", "ROUNDUP", "SEARCH", "SEC", "SECH", "SIN", "SINH", "SMALL",
    "SQRT", "SQRTPI", "SUBSTITUTE", "TAN", "TANH", "TRIM", "UPPER",
];

/// Refused: what the library makes of them is not what Excel does, so that another engine is better asked.
pub(super) const REFUSED: &[&str] = &["FORMULATEXT", "GROUPBY", "PIVOTBY"];

/// Lifted by the first argument.
pub(super) const LIFTED_BY_FIRST: &[&str] = &["CHOOSE", "IFS", "SWITCH"];

/// What becomes of a function; `None` for one that is kept.
pub(super) fn rules() -> impl Iterator<Item = (&'static str, Rule)> {
    let delegated = DELEGATED.iter().map(|name| (*name, Rule::Delegated));
    delegated
        .chain(WHEN_SMALL.iter().map(|name| (*name, Rule::WhenSmall)))
        .chain(LIFTED.iter().map(|name| (*name, Rule::Lifted)))
        .chain(LIFTED_BY_FIRST.iter().map(|name| (*name, Rule::LiftedByFirst)))
}
