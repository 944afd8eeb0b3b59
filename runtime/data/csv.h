// CSV files with a header: a column feeds the input of its name.
#pragma once
#include "runtime/data/data_source.h"
#include "runtime/data/dataset.h"

namespace gradc {

/// Whether `path` is a file called *.csv or *.csv.gz.
bool is_csv_file(const std::string& path);

/// A field of rank 0 per column of numbers, of the dtype in `source.wanted` where every value fits
/// it; else i32, or i64 where that is too narrow, for whole numbers and f32 for others. Options:
///   categories  columns of text: i32 codes, from 1 in the order of the sorted texts of the
///               training rows; 0 is a text that is only in the test rows
///   features    columns of numbers that also make up one field `features` of rank 1
///   test        the share of the rows that is held out (split_rows)
/// Other columns of text are left out, unless `source.wanted` names them.
/// Throws Error (ModelOrData): E0916 with file, line and column for a missing value, for one that
/// is no number or does not fit the wanted dtype; E0910 for an option that names no column; E0915
/// without rows.
DataSplit load_csv(const DataSource& source);
/// Reads the file: the types of its columns show in no other way.
DataDescription describe_csv(const DataSource& source);

}  // namespace gradc
