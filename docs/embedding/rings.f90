! Trains the model rings from Fortran through iso_c_binding.
!
! gradc build rings.grad --emit obj -o rings.o
! gfortran rings.f90 rings.o $(pkg-config --libs gradc-runtime) -o rings_f
! ./rings_f rings.csv
module gradc
  use iso_c_binding
  implicit none
  ! Of gradc.h.
  interface
    integer(c_int) function gradc_create(model, version, session) bind(c)
      import
      type(c_funptr), value :: model
      integer(c_int32_t), value :: version
      type(c_ptr) :: session
    end function
    subroutine gradc_free(session) bind(c)
      import
      type(c_ptr), value :: session
    end subroutine
    integer(c_int) function gradc_initialize(session, seed) bind(c)
      import
      type(c_ptr), value :: session
      integer(c_int64_t), value :: seed
    end function
    integer(c_int) function gradc_train_step(session, inputs, rows, loss) bind(c)
      import
      type(c_ptr), value :: session
      type(c_ptr) :: inputs(*)
      integer(c_int64_t), value :: rows
      real(c_double) :: loss
    end function
    integer(c_int) function gradc_evaluate(session, inputs, rows) bind(c)
      import
      type(c_ptr), value :: session
      type(c_ptr) :: inputs(*)
      integer(c_int64_t), value :: rows
    end function
    integer(c_int32_t) function gradc_metric_count(session) bind(c)
      import
      type(c_ptr), value :: session
    end function
    integer(c_int) function gradc_metrics(session, values) bind(c)
      import
      type(c_ptr), value :: session
      real(c_double) :: values(*)
    end function
    integer(c_int) function gradc_predict(session, inputs, rows, outputs) bind(c)
      import
      type(c_ptr), value :: session
      type(c_ptr) :: inputs(*)
      integer(c_int64_t), value :: rows
      type(c_ptr) :: outputs(*)
    end function
    integer(c_int) function gradc_save(session, path) bind(c)
      import
      type(c_ptr), value :: session
      character(kind=c_char) :: path(*)
    end function
    integer(c_int) function gradc_load(session, path) bind(c)
      import
      type(c_ptr), value :: session
      character(kind=c_char) :: path(*)
    end function
    ! The model, of which only the address counts: Fortran would make room for a variable.
    subroutine rings_model() bind(c, name='gradc_model_rings')
    end subroutine
  end interface
end module

program rings
  use gradc
  implicit none
  integer, parameter :: rows = 600, batch = 60
  real(c_float), target :: features(2, rows), before(2, rows), after(2, rows)
  integer(c_int32_t), target :: label(rows)
  type(c_ptr) :: session, other, inputs(2), outputs(1)
  real(c_double) :: loss
  real(c_double), allocatable :: metrics(:)
  character(len=256) :: path
  character(kind=c_char, len=*), parameter :: file = 'rings_f.safetensors' // c_null_char
  integer :: epoch, first, i

  call get_command_argument(1, path)
  open (unit=1, file=trim(path), status='old', action='read')
  read (1, *)
  do i = 1, rows
    read (1, *) features(1, i), features(2, i), label(i)
  end do
  close (1)

  call check(gradc_create(c_funloc(rings_model), 1, session), 'create')
  call check(gradc_initialize(session, 1_c_int64_t), 'initialize')
  do epoch = 1, 40
    do first = 1, rows, batch
      inputs = [c_loc(features(1, first)), c_loc(label(first))]
      call check(gradc_train_step(session, inputs, int(batch, c_int64_t), loss), 'train')
    end do
  end do

  inputs = [c_loc(features), c_loc(label)]
  call check(gradc_evaluate(session, inputs, int(rows, c_int64_t)), 'evaluate')
  allocate (metrics(gradc_metric_count(session)))
  call check(gradc_metrics(session, metrics), 'metrics')
  print '(a, f6.4)', 'accuracy ', metrics(size(metrics))

  call check(gradc_save(session, file), 'save')
  call check(gradc_create(c_funloc(rings_model), 1, other), 'create')
  call check(gradc_load(other, file), 'load')
  outputs = [c_loc(before)]
  call check(gradc_predict(session, inputs, int(rows, c_int64_t), outputs), 'predict')
  outputs = [c_loc(after)]
  call check(gradc_predict(other, inputs, int(rows, c_int64_t), outputs), 'predict')
  if (any(before /= after)) stop 'the loaded model differs'
  print '(a)', 'the loaded model predicts the same'
  call gradc_free(other)
  call gradc_free(session)

contains

  subroutine check(status, what)
    integer(c_int), intent(in) :: status
    character(len=*), intent(in) :: what
    if (status == 0) return
    print *, what, ' failed with status', status
    stop 1
  end subroutine
end program
