//! The functions that the native engines know.

use std::collections::BTreeSet;

use formualizer_eval::{builtins, function_registry};
use ironcalc_base::language::{Functions, get_default_language};

/// The names of every function of either engine, in capitals. What we put in place of functions of formualizer's is computed by
/// IronCalc or has a name that one of them knows already.
pub(crate) fn native_functions() -> BTreeSet<String> {
    builtins::load_builtins();
    let mut names: BTreeSet<String> = ironcalc().into_iter().map(str::to_uppercase).collect();
    for (_, name, function) in function_registry::snapshot_registered() {
        let aliases = function.aliases().iter().map(|alias| alias.to_uppercase());
        names.extend(aliases.chain([name.to_uppercase()]));
    }
    names
}

/// IronCalc lists its functions as the fields of a language. All of them are taken apart here, so that the compiler tells of
/// one that is new.
macro_rules! every {
    ($($field:ident),+ $(,)?) => {{
        let Functions { $($field),+ } = &get_default_language().functions;
        vec![$($field.as_str()),+]
    }};
}

#[rustfmt::skip]
fn ironcalc() -> Vec<&'static str> {
    every![
        abs, accrint, accrintm, acos, acosh, acot, acoth, address, amordegrc, amorlinc, and, arabic, areas,
        arraytotext, asc, asin, asinh, atan, atan2, atanh, avedev, average, averagea, averageif, averageifs,
        base, besseli, besselj, besselk, bessely, betadist, betadistcompat, betainv, betainvcompat, bin2dec,
        bin2hex, bin2oct, binomdist, binomdistcompat, binomdistrange, binominv, bitand, bitlshift, bitor,
        bitrshift, bitxor, bycol, byrow, ceiling, ceilingmath, ceilingprecise, cell, r#char, chidist,
        chiinv, chisqdist, chisqdistrt, chisqinv, chisqinvrt, chisqtest, chitest, choose, choosecols,
        chooserows, clean, code, column, columns, combin, combina, complex, concat, concatenate, confidence,
        confidencenorm, confidencet, convert, correl, cos, cosh, cot, coth, count, counta, countblank,
        countif, countifs, coupdaybs, coupdays, coupdaysnc, coupncd, coupnum, couppcd, covar, covariancep,
        covariances, critbinom, csc, csch, cumipmt, cumprinc, date, datedif, datevalue, daverage, day, days,
        days360, db, dcount, dcounta, ddb, dec2bin, dec2hex, dec2oct, decimal, degrees, delta, devsq, dget,
        disc, dmax, dmin, dollar, dollarde, dollarfr, dproduct, drop, dstdev, dstdevp, dsum, duration, dvar,
        dvarp, ecma_ceiling, edate, effect, encodeurl, eomonth, erf, erfc, erfcprecise, erfprecise,
        errortype, even, exact, exp, expand, expondist, expondistcompat, fact, factdouble, r#false, fdist,
        fdistcompat, fdistrt, filter, find, findb, finv, finvcompat, finvrt, fisher, fisherinv, fixed,
        floor, floormath, floorprecise, forecast, forecastets, forecastetsconfint, forecastetsseasonality,
        forecastetsstat, forecastlinear, formulatext, frequency, ftest, ftestcompat, fv, fvschedule, gamma,
        gammadist, gammadistcompat, gammainv, gammainvcompat, gammaln, gammalnprecise, gauss, gcd, geomean,
        gestep, growth, harmean, hex2bin, hex2dec, hex2oct, hlookup, hour, hstack, hyperlink, hypgeomdist,
        hypgeomdistcompat, r#if, iferror, ifna, ifs, imabs, imaginary, imargument, imconjugate, imcos,
        imcosh, imcot, imcsc, imcsch, imdiv, imexp, imln, imlog10, imlog2, impower, improduct, imreal,
        imsec, imsech, imsin, imsinh, imsqrt, imsub, imsum, imtan, index, indirect, info, int, intercept,
        intrate, ipmt, irr, isblank, iserr, iserror, iseven, isformula, islogical, isna, isnontext,
        isnumber, isoceiling, isodd, isomitted, isoweeknum, ispmt, isref, istext, kurt, lambda, large, lcm,
        left, leftb, len, lenb, r#let, linest, ln, log, log10, logest, loginv, lognormdist,
        lognormdistcompat, lognorminv, lookup, lower, makearray, map, r#match, max, maxa, maxifs, mdeterm,
        mduration, median, mid, midb, min, mina, minifs, minute, minverse, mirr, mmult, r#mod, modecompat,
        modemult, modesngl, month, mround, multinomial, munit, n, na, negbinomdist, negbinomdistcompat,
        networkdays, networkdaysintl, nominal, normdist, normdistcompat, norminv, norminvcompat, normsdist,
        normsdistcompat, normsinv, normsinvcompat, not, now, nper, npv, numbervalue, oct2bin, oct2dec,
        oct2hex, odd, oddfprice, oddfyield, oddlprice, oddlyield, offset, or, pduration, pearson,
        percentilecompat, percentileexc, percentileinc, percentof, percentrankcompat, percentrankexc,
        percentrankinc, permut, permutationa, phi, pi, pmt, poissoncompat, poissondist, power, ppmt, price,
        pricedisc, pricemat, prob, product, proper, pv, quartilecompat, quartileexc, quartileinc, quotient,
        radians, rand, randarray, randbetween, rankavg, rankcompat, rankeq, rate, received, reduce,
        regexextract, regexreplace, regextest, replace, replaceb, rept, right, rightb, roman, round,
        rounddown, roundup, row, rows, rri, rsq, scan, search, searchb, sec, sech, second, sequence,
        seriessum, sheet, sheets, sign, sin, sinh, skew, skewp, sln, slope, small, sort, sortby, sqrt,
        sqrtpi, standardize, stdev, stdeva, stdevp, stdevpa, stdevpcompat, stdevs, steyx, substitute,
        subtotal, sum, sumif, sumifs, sumproduct, sumsq, sumx2my2, sumx2py2, sumxmy2, switch, syd, t, take,
        tan, tanh, tbilleq, tbillprice, tbillyield, tdist, tdist2t, tdistcompat, tdistrt, text, textafter,
        textbefore, textjoin, textsplit, time, timevalue, tinv, tinv2t, tinvcompat, tocol, today, torow,
        transpose, trend, trim, trimmean, trimrange, r#true, trunc, ttest, ttestcompat, r#type, unichar,
        unicode, unique, upper, value, valuetotext, vara, varcompat, varp, varpa, varpcompat, vars, vdb,
        vlookup, vstack, weekday, weeknum, weibullcompat, weibulldist, workday, workdayintl, wrapcols,
        wraprows, xirr, xlookup, xmatch, xnpv, xor, year, yearfrac, r#yield, yielddisc, yieldmat, ztest,
        ztestcompat,
    ]
}
