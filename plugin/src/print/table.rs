//! Tables. (Written with the table model.)
