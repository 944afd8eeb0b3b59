// Folders of PNG pictures, one folder a class.
#pragma once
#include "runtime/data/data_source.h"
#include "runtime/data/dataset.h"

namespace gradc {

/// Whether `path` is a folder with a .png file in a folder below it, or below its folder `train`.
bool is_image_folder(const std::string& path);

/// Fields `image` u8[rows, height, width] or u8[rows, height, width, channels], and `label`, u8, or
/// i32 from 257 classes on. The classes are the sub-folders, the rows their .png files, both sorted
/// by name; hidden ones are skipped. With sub-folders `train` and `test` (the latter may be
/// missing) those hold the classes; without, option `test` is the share of the rows that is held
/// out. Throws Error: InputOutput, E0911 where a folder or file cannot be read; ModelOrData, E0918
/// for a picture that cannot be read, E0915 for pictures of different sizes, files of another kind,
/// a class without pictures or test classes that the training part does not have.
DataSplit load_images(const DataSource& source);
/// From the names of the files and the first picture's header.
DataDescription describe_images(const DataSource& source);

}  // namespace gradc
