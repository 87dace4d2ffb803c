//! The straight line that fits points best.

/// `intercept` + `slope` × x.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) intercept: f64,
}

impl Line {
    /// By least squares, through two points or more of different x.
    pub(super) fn fit(points: &[(f64, f64)]) -> Line {
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
        let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
        let slope = together / spread;
        Line { slope, intercept: y - slope * x }
    }

    /// Its y at an x.
    pub(super) fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// How far it is from a point at most, as a share of the point's y.
    pub(super) fn worst_error(&self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|(x, y)| (self.at(*x) / y - 1.0).abs()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn points_on_a_line_give_that_line() {
        let points = [(1.0, 5.0), (2.0, 7.0), (4.0, 11.0)];
        let line = Line::fit(&points);
        assert!((line.slope - 2.0).abs() < 1e-9 && (line.intercept - 3.0).abs() < 1e-9, "{line:?}");
        assert!(line.worst_error(&points) < 1e-9);
    }

    #[test]
    fn the_worst_error_is_that_of_the_farthest_point() {
        let line = Line { slope: 1.0, intercept: 0.0 };
        assert_eq!(line.worst_error(&[(10.0, 10.0), (10.0, 8.0)]), 0.25);
    }
}
